import { expect, it } from 'vitest'
import { evaluateByLogits } from '../../../src/learning/engine/by-gradient.ts'
import { losses } from '../../../src/learning/loss.ts'

it('every position of a sequence is judged, however many are judged at a time', () => {
  // Says that the next character is the one before, as surely as e against 1.
  const parrot = {
    logits: (_: Float32Array, { features }: { features: Float32Array }) =>
      Float32Array.from([...features].flatMap((k) => [+(k === 0), k]))
  }
  const count = 512 + 88 // in two goes
  const features = Float32Array.from({ length: 2 * count }, (_, index) => index % 2) // 0 1 0 1 …
  const labels = Uint16Array.from(features)
  labels.fill(0, 2 * 512) // of the last 88 every second label is another one
  const right = Math.log(Math.E + 1) - 1

  const all = { features, labels, count }
  const { loss, accuracy } = evaluateByLogits(
    parrot,
    losses['softmax-cross-entropy'],
    new Float32Array(),
    all
  )

  expect(accuracy).toBe((1200 - 88) / 1200)
  expect(loss).toBeCloseTo(right + 88 / 1200, 6)
})
