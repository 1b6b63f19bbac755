import type * as tf from '@tensorflow/tfjs'

/** The one instance of tfjs in a process or worker: backends and kernels register with it. */
export type TensorFlow = typeof tf

/**
 * Load tfjs on first use: commands that do not train do not pay for it.
 * Production mode silences its banners, which it would print to the user's console.
 */
export async function loadTensorFlow(): Promise<TensorFlow> {
  const tf = await import('@tensorflow/tfjs')
  tf.enableProdMode()
  return tf
}
