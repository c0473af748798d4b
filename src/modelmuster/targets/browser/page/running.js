// One graph, loaded once and run as often as asked. Arrays cross the border as base64 of their bytes.

import * as ort from "./ort.jspi.min.mjs";

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int64: BigInt64Array, uint64: BigUint64Array,
  int32: Int32Array, uint32: Uint32Array, int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array,
  bool: Uint8Array,
};

// The log of a session tells which node went where; it has hundreds of other lines.
const placements = [];
for (const level of ["log", "info", "debug", "warn", "error"]) {
  console[level] = (...values) => {
    const line = values.map(String).join(" ");
    if (/VerifyEachNodeIsAssignedToAnEp|::GetCapability/.test(line)) placements.push(line);
  };
}

ort.env.wasm.numThreads = 1;

let session = null;

const decoded = async (text) => (await fetch(`data:application/octet-stream;base64,${text}`)).arrayBuffer();

const encoded = (view) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(new Blob([new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]));
});

window.load = async ({ model, external, provider }) => {
  // Sessions that overlap on one GPU device have been seen to share shaders, and to give wrong numbers.
  if (session !== null) throw new Error("this page holds a session already");
  session = await ort.InferenceSession.create(model, {
    // One provider, and never WebAssembly behind it: what is not there must not be replaced unseen.
    executionProviders: [provider],
    externalData: external,
    logSeverityLevel: 0,
  });
  return placements;
};

window.run = async ({ feeds, names }) => {
  const given = {};
  for (const { name, type, dims, data } of feeds) {
    given[name] = new ort.Tensor(type, new arrays[type](await decoded(data)), dims);
  }
  const returned = await session.run(given, names, { logSeverityLevel: 3 }).catch((error) => {
    throw window.lost === null ? error : new Error(`the device was lost (${window.lost}): ${error.message}`);
  });
  const outputs = [];
  for (const name of names) {
    const tensor = returned[name];
    const values = tensor.location === "cpu" ? tensor.data : await tensor.getData();
    outputs.push({ name, type: tensor.type, dims: tensor.dims, data: await encoded(values) });
    tensor.dispose();
  }
  for (const tensor of Object.values(given)) tensor.dispose();
  return outputs;
};

window.seen = () => ({
  counts: window.counts,
  lost: window.lost,
  adapters: window.devices.map((device) => window.adapterInfo(device.adapterInfo)),
  accelerated: window.contexts.map((context) => context.accelerated ?? null),
});

window.unload = async () => {
  await session?.release();
  session = null;
};

window.ready = true;
