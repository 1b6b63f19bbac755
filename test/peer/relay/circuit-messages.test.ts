import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  circuitMessageBytesMax,
  circuitStatus,
  decodeHopRequest,
  decodeStopStatus,
  encodeHopStatus,
  encodeStopConnect
} from '../../../peer/relay/circuit-messages.ts'

/** Bytes as the specification's protobuf has them; real clients are met in relay.test.ts. */

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('the messages of a circuit relay', () => {
  it('reads who wants to reserve, and who wants to connect to whom', () => {
    expect(decodeHopRequest(bytesOf('08 00'))).toEqual({ kind: 'reserve' })
    const peer = bytesOf('aabbcc')
    expect(decodeHopRequest(bytesOf('08 01 12 05 0a 03 aabbcc'))).toEqual({ kind: 'connect', peer })
    // with addresses of the peer, and a field of a later version
    expect(decodeHopRequest(bytesOf('08 01 12 09 0a 03 aabbcc 12 02 0102 7a 01 ff'))).toEqual({
      kind: 'connect',
      peer
    })
  })

  it.each([
    ['nothing', ''],
    ['no type', '12 05 0a 03 aabbcc'],
    ['a status', '08 02 28 64'],
    ['nobody to connect to', '08 01'],
    ['a peer without an id', '08 01 12 00'],
    ['a length beyond the end', '08 01 12 05 0a 03 aabb'],
    ['a number without an end', '08 ff ff ff ff ff ff ff ff ff ff'],
    ['a key without a value', '08'],
    ['a group', '0b 0c']
  ])('takes %s for no request', (_, bytes) => {
    expect(decodeHopRequest(bytesOf(bytes))).toBeUndefined()
  })

  it('reads how a peer answered', () => {
    expect(decodeStopStatus(bytesOf('08 01 20 64'))).toBe(circuitStatus.ok)
    expect(decodeStopStatus(bytesOf('08 00 20 64'))).toBeUndefined() // no answer
    expect(decodeStopStatus(bytesOf('08 01'))).toBeUndefined()
  })

  it('writes answers and questions', () => {
    expect(hex(encodeHopStatus(circuitStatus.noReservation))).toBe('080228cc01')
    const limit = { seconds: 120, bytes: 131_072 }
    expect(hex(encodeHopStatus(circuitStatus.ok, { limit }))).toBe('08022206087810808008' + '2864')
    expect(
      hex(
        encodeHopStatus(circuitStatus.ok, {
          reservation: { expires: 5, addresses: [bytesOf('0102')] }
        })
      )
    ).toBe('0802' + '1a06' + '0805' + '12020102' + '2864')
    expect(hex(encodeStopConnect(bytesOf('aabb'), undefined))).toBe('0800' + '1204' + '0a02aabb')
  })

  it('leaves out a limit that there is none of', () => {
    const limit = { seconds: Infinity, bytes: 300 }
    expect(hex(encodeStopConnect(bytesOf('aa'), limit))).toBe(
      '0800' + '12030a01aa' + '1a03' + '10ac02'
    )
  })

  it('survives any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: circuitMessageBytesMax })
    fc.assert(
      fc.property(bytes, (any) => {
        decodeHopRequest(any)
        decodeStopStatus(any)
      }),
      { numRuns: 2_000 }
    )
  })
})
