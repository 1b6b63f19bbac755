import { PlanEngine } from '../../../src/learning/engine/plan/plan-engine.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'

/** Some layers, and scores for two classes after them. */
export function engineOf(shape: readonly number[], layers: readonly LayerSpec[]): PlanEngine {
  const data = { shape, classes: 2 }
  const scores: LayerSpec = { kind: 'dense', name: 'scores', units: 2, useBias: false }
  const graph = createGraph([...layers, scores], data)
  return new PlanEngine({
    ...{ graph, data, tensors: graph.tensors, fastMath: false },
    loss: 'softmax-cross-entropy'
  })
}

/** Parameters in the order of the layout; what is not given is 1 for scales and variances, else 0. */
export function parametersOf({ layout }: PlanEngine, given: readonly number[] = []): Float32Array {
  const parameters = new Float32Array(layout.parameterCount)
  for (const { initialiser, offset, size } of layout.tensors) {
    if (initialiser.kind === 'constant') parameters.fill(initialiser.value, offset, offset + size)
  }
  parameters.set(given)
  return parameters
}

/** What a layer gives for samples, one after another, in inference mode. */
export function given(
  engine: PlanEngine,
  layer: string,
  features: readonly number[],
  count = 1,
  parameters = parametersOf(engine)
): number[] {
  const samples = {
    features: Float32Array.from(features),
    labels: new Uint16Array(count),
    count
  }
  return [...(engine.activations(parameters, samples, [layer]).get(layer)?.values ?? [])]
}

/** The gradient for samples of class 0; statistics in `parameters` are brought up to date. */
export function gradientOf(
  engine: PlanEngine,
  parameters: readonly number[] | Float32Array,
  features: readonly number[],
  count = 1
): Float32Array {
  const samples = {
    features: Float32Array.from(features),
    labels: new Uint16Array(count),
    count
  }
  const all = parameters instanceof Float32Array ? parameters : parametersOf(engine, parameters)
  const gradient = new Float32Array(all.length)
  engine.gradient(all, samples, gradient, 1)
  return gradient
}
