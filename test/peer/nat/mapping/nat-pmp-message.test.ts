import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeAddressAnswer,
  decodeMapAnswer,
  encodeAddressQuestion,
  encodeMapQuestion,
  type MapQuestion
} from '../../../../peer/nat/mapping/nat-pmp-message.ts'
import { addressAnswer, mapAnswer, refusal } from './nat-pmp-router.ts'

const port = fc.integer({ min: 1, max: 65_535 })
const seconds = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const protocol = fc.constantFrom('TCP' as const, 'UDP' as const)

const question: MapQuestion = {
  protocol: 'TCP',
  internalPort: 4001,
  externalPort: 4002,
  lifetimeSeconds: 7_200
}

describe('NAT-PMP', () => {
  it('asks as RFC 6886 draws it', () => {
    expect(Buffer.from(encodeAddressQuestion()).toString('hex')).toBe('0000')
    expect(Buffer.from(encodeMapQuestion(question)).toString('hex')).toBe(
      '00020000' + '0fa1' + '0fa2' + '00001c20'
    )
    expect(encodeMapQuestion({ ...question, protocol: 'UDP' })[1]).toBe(1)
  })

  it('reads what routers answer', () => {
    fc.assert(
      fc.property(fc.ipV4(), seconds, (externalIp, epochSeconds) => {
        const answer = decodeAddressAnswer(addressAnswer(externalIp, epochSeconds))
        expect(answer).toEqual({ result: 0, epochSeconds, externalIp })
      })
    )
    fc.assert(
      fc.property(protocol, port, port, seconds, (protocol, internalPort, externalPort, given) => {
        const asked = { ...question, protocol, internalPort }
        const granted = { externalPort, lifetimeSeconds: given }
        const answer = decodeMapAnswer(mapAnswer(asked, granted, 5), asked)
        expect(answer).toEqual({ result: 0, epochSeconds: 5, granted })
      })
    )
  })

  it('reads refusals, also such as end behind the epoch', () => {
    const given = { result: 2, epochSeconds: 9 }
    expect(decodeAddressAnswer(refusal(128, 2, 9))).toEqual({ ...given, externalIp: null })
    expect(decodeMapAnswer(refusal(130, 2, 9), question)).toEqual({ ...given, granted: null })
  })

  it.each([
    ['another port', mapAnswer({ ...question, internalPort: 4003 }, question, 1)],
    ['another protocol', mapAnswer({ ...question, protocol: 'UDP' }, question, 1)],
    ['a question', encodeMapQuestion(question)],
    ['another version', Buffer.concat([Buffer.of(2), mapAnswer(question, question, 1).slice(1)])],
    ['no port', mapAnswer(question, { externalPort: 0, lifetimeSeconds: 9 }, 1)],
    ['no time', mapAnswer(question, { externalPort: 9, lifetimeSeconds: 0 }, 1)],
    ['half of it', mapAnswer(question, question, 1).subarray(0, 15)]
  ])('takes an answer about %s for none', (_, bytes) => {
    expect(decodeMapAnswer(bytes, question)).toBeUndefined()
  })

  it('takes the end of a mapping as it is told: without port and time', () => {
    const end = { ...question, externalPort: 0, lifetimeSeconds: 0 }
    expect(decodeMapAnswer(mapAnswer(end, end, 1), end)?.result).toBe(0)
  })

  it('survives any bytes, also such as begin well', () => {
    const any = fc.uint8Array({ maxLength: 40 })
    const begun = fc
      .tuple(fc.constantFrom(128, 129, 130), any)
      .map(([code, rest]) => Uint8Array.of(0, code, ...rest))
    fc.assert(
      fc.property(fc.oneof(any, begun), (bytes) => {
        decodeAddressAnswer(bytes)
        decodeMapAnswer(bytes, question)
      }),
      { numRuns: 2_000 }
    )
  })
})
