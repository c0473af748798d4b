// What this browser offers, without a model: `seen` as on the other page, and more of the adapter.

"use strict";

const LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeInvocationsPerWorkgroup"];

window.offers = async () => {
  const found = {
    isolated: window.crossOriginIsolated, adapters: [], features: [], limits: {}, accelerated: [], operators: 0,
    refusal: "the browser knows no WebNN",
  };
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter) {
    found.adapters.push(window.adapterInfo(adapter.info));
    found.features = [...adapter.features].sort();
    for (const name of LIMITS) found.limits[name] = adapter.limits[name];
  }
  if (navigator.ml) {
    try {
      const context = await navigator.ml.createContext({ deviceType: "cpu" });
      found.accelerated.push(context.accelerated ?? null);
      found.operators = Object.values(context.opSupportLimits()).filter((limit) => typeof limit === "object").length;
    } catch (error) {
      found.refusal = error.message;
    }
  }
  return found;
};

window.ready = true;
