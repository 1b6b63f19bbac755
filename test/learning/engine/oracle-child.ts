import * as tf from '@tensorflow/tfjs'
import { TfjsGraph } from '../../../src/learning/engine/tfjs-graph.ts'
import { createLayout } from '../../../src/learning/layout.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import type { LossKind } from '../../../src/learning/training.ts'
import { allLayerCases, batchOf, type LayerCase } from './layer-cases.ts'
import { someParameters } from './models.ts'
import { oracleSeed, type OracleAnswer } from './oracle-answer.ts'

/**
 * What stock TensorFlow.js says of every case: its own kernels in plain JavaScript, its own gradients,
 * its own losses. In a process of its own, into which nothing of ours has brought other kernels.
 */
tf.enableProdMode()
await tf.setBackend('cpu')
const answers = (await allLayerCases()).map(([name, layerCase]) => [name, answerOf(layerCase)])
process.stdout.write(JSON.stringify(answers))

function answerOf(layerCase: LayerCase): OracleAnswer {
  const { layers, data, loss = 'softmax-cross-entropy' } = layerCase
  const graph = createGraph(layers, data)
  const model = new TfjsGraph(tf, graph)
  const layout = createLayout(graph.tensors)
  const batch = batchOf(layerCase)
  const parameters = someParameters(layout)
  for (const [index, { offset, size, shape }] of layout.tensors.entries()) {
    const values = parameters.slice(offset, offset + size)
    model.variables[index]?.assign(tf.tensor(values, shape))
  }
  const { mean, deviation } = data.scale ?? { mean: 0, deviation: 1 }
  const features = tf
    .tensor(batch.features, [batch.count, ...data.shape])
    .sub(mean)
    .div(deviation)

  const scores = model.scores(features, false, 0).dataSync<'float32'>()
  const { value, grads } = tf.variableGrads(
    () => lossOf(loss, model.scores(features, true, oracleSeed), batch.labels),
    [...model.trained]
  )
  const gradient = new Float32Array(layout.parameterCount)
  for (const [index, { offset, size, role }] of layout.tensors.entries()) {
    const variable = model.variables[index] as tf.Variable
    const slope = grads[variable.name]
    if (slope) gradient.set(slope.dataSync<'float32'>(), offset)
    if (role === 'statistic') parameters.set(variable.dataSync<'float32'>(), offset)
    else parameters.fill(0, offset, offset + size)
  }
  return {
    loss: value.dataSync<'float32'>()[0] as number,
    gradient: [...gradient],
    scores: [...scores],
    statistics: [...parameters]
  }
}

function lossOf(kind: LossKind, scores: tf.Tensor, labels: Uint16Array): tf.Scalar {
  const classes = scores.shape.at(-1) as number
  const rows = scores.reshape([-1, classes])
  const targets = tf.oneHot(tf.tensor1d([...labels], 'int32'), classes).cast('float32')
  switch (kind) {
    case 'softmax-cross-entropy':
      return tf.losses.softmaxCrossEntropy(targets, rows)
    case 'sigmoid-cross-entropy':
      return tf.losses.sigmoidCrossEntropy(targets, rows).mul(classes).asScalar()
    case 'mean-squared-error':
      return tf.losses.meanSquaredError(targets, rows)
  }
}
