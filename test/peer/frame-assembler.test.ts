import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLayout } from '../../src/learning/layout.ts'
import type { Message } from '../../protocols/messages.ts'
import { encodeFrame } from '../../protocols/wire.ts'
import { FrameAssembler } from '../../peer/frame-assembler.ts'

const layout = createLayout([
  { name: 'w', shape: [9], role: 'weight', initialiser: { kind: 'constant', value: 0 } }
])
const messages: Message[] = [
  { kind: 'want', what: 'task', task: null },
  {
    kind: 'state',
    round: 1,
    age: 2,
    samples: 3,
    lineage: 'ab'.repeat(32),
    digest: '0f'.repeat(32),
    parameters: Float32Array.from({ length: 9 }, (_, i) => i / 3)
  },
  { kind: 'leave' }
]
const bytes = Buffer.concat(messages.flatMap((message) => encodeFrame(message)))

/** The bytes cut at these places. */
function pieces(cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...[...cuts].sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(at[i], end)))
}

describe('FrameAssembler', () => {
  it('gives the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 }), (cuts) => {
        const assembler = new FrameAssembler(() => layout)
        expect(pieces(cuts).flatMap((piece) => [...assembler.push(piece)])).toEqual(messages)
        expect(assembler.partialBytes).toBe(0)
      })
    )
  })

  it('knows at every byte how much of a frame it holds', () => {
    const assembler = new FrameAssembler(() => layout)
    const first = Buffer.concat(encodeFrame(messages[1]!))
    for (let sent = 1; sent < first.length; sent++) {
      expect([...assembler.push(first.subarray(sent - 1, sent))]).toEqual([])
      expect(assembler.partialBytes).toBe(sent)
    }
  })

  it('takes nothing after a fault', () => {
    const assembler = new FrameAssembler(() => layout)
    const junk = Buffer.concat([Buffer.alloc(12), bytes])
    expect([...assembler.push(junk)]).toEqual(['malformed'])
    expect([...assembler.push(bytes)]).toEqual([])
  })

  it('welcomes models only once the task is known', () => {
    let known: typeof layout | null = null
    const state = Buffer.concat(encodeFrame(messages[1]!))
    expect([...new FrameAssembler(() => known).push(state)]).toEqual(['too-large'])
    known = layout
    expect([...new FrameAssembler(() => known).push(state)]).toEqual([messages[1]])
  })
})
