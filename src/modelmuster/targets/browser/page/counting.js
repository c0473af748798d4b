// Counts what reaches the GPU and WebNN, at the browser's own interfaces: independent of what a runtime says of itself.
// Runs before the runtime is loaded.

"use strict";

window.counts = { dispatches: 0, submits: 0, pipelines: 0, graphs: 0, graphDispatches: 0 };
window.devices = [];
window.contexts = [];
window.lost = null;

window.adapterInfo = (info) => ({
  vendor: info?.vendor, architecture: info?.architecture, device: info?.device, description: info?.description,
  type: info?.type, backend: info?.backend, driver: info?.driver, isFallback: info?.isFallbackAdapter,
});

const countCalls = (owner, method, counter) => {
  const original = owner?.prototype[method];
  if (!original) return;
  owner.prototype[method] = function (...values) {
    window.counts[counter] += 1;
    return original.apply(this, values);
  };
};

const keepResults = (owner, method, keep) => {
  const original = owner?.prototype[method];
  if (!original) return;
  owner.prototype[method] = async function (...values) {
    const made = await original.apply(this, values);
    keep(made);
    return made;
  };
};

countCalls(window.GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
countCalls(window.GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches");
countCalls(window.GPUQueue, "submit", "submits");
countCalls(window.GPUDevice, "createComputePipeline", "pipelines");
countCalls(window.GPUDevice, "createComputePipelineAsync", "pipelines");
countCalls(window.MLGraphBuilder, "build", "graphs");
countCalls(window.MLContext, "dispatch", "graphDispatches");

keepResults(window.GPUAdapter, "requestDevice", (device) => {
  window.devices.push(device);
  device.lost.then((why) => { window.lost = `${why.reason || "unknown"}: ${why.message}`; });
});
keepResults(window.ML, "createContext", (context) => {
  window.contexts.push(context);
  context.lost?.then((why) => { window.lost = why.message; });
});
