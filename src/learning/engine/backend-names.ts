/** What backends are called, apart from the engines: whoever reads a config need not load them. */

export const tfjsNames = ['node', 'webgpu', 'wasm', 'cpu'] as const
export type TfjsName = (typeof tfjsNames)[number]

/** Our own engine, TensorFlow.js on the first of its backends that will do, or on a named one. */
export const backendNames = ['plan', 'tfjs', ...tfjsNames] as const
export type BackendName = (typeof backendNames)[number]
