import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from '@ipld/dag-cbor'
import { contentDigest } from '../../src/core/digest.ts'
import {
  addressesPerContactMax,
  addressLengthMax,
  countMax,
  headerBytesMax,
  manifestBytesMax,
  offersPerHelloMax,
  recordBytesMax,
  recordsPerMessageMax,
  signatureBytesMax,
  versionLengthMax,
  viewEntriesPerMessageMax
} from '../../src/core/limits.ts'
import { createLayout } from '../../src/learning/layout.ts'
import type { Message, Peers } from '../../protocols/messages.ts'
import { SignedRecord, type PeerRecord } from '../../protocols/records/record.ts'
import { notary, recordOf } from '../records.ts'
import {
  decodeBody,
  decodePrefix,
  encodeFrame,
  frameBytes,
  prefixBytes
} from '../../protocols/wire.ts'

const layout = createLayout([
  { name: 'w', shape: [5], role: 'weight', initialiser: { kind: 'constant', value: 0 } }
])

const count = fc.nat()
const progress = { round: count, age: count, samples: count }
const peer = fc.string({ minLength: 1, maxLength: 60 })
const addresses = fc.array(fc.string({ minLength: 1, maxLength: 80 }), { maxLength: 8 })
const digest = fc.stringMatching(/^[0-9a-f]{64}$/)
const parameters = fc
  .array(fc.float({ noNaN: true }), { minLength: 5, maxLength: 5 })
  .map((values) => Float32Array.from(values))

const signedRecord = fc
  .record({
    peer,
    sequence: count,
    role: fc.constantFrom('peer', 'helper'),
    task: fc.option(peer),
    addresses,
    version: fc.string({ maxLength: 32 }),
    round: count,
    age: count
  })
  .map((record) => recordOf(record.peer, record))

const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    ...progress,
    lineage: fc.option(digest),
    task: fc.option(peer),
    layout: fc.option(digest),
    known: fc.boolean(),
    record: signedRecord,
    offers: fc.array(peer, { maxLength: offersPerHelloMax })
  }),
  fc.record({
    kind: fc.constant('peers' as const),
    records: fc.array(fc.record({ signed: signedRecord, heardSecondsAgo: count }), {
      maxLength: recordsPerMessageMax
    })
  }),
  fc.record({
    kind: fc.constant('want' as const),
    what: fc.constantFrom('task' as const, 'state' as const),
    task: fc.option(peer)
  }),
  fc.record({
    kind: fc.constant('task' as const),
    manifest: fc.uint8Array({ minLength: 1, maxLength: 300 })
  }),
  fc.record({
    kind: fc.constant('state' as const),
    ...progress,
    lineage: digest,
    digest,
    parameters
  }),
  fc.record({
    kind: fc.constant('update' as const),
    ...progress,
    phase: fc.constantFrom('push', 'reply', 'round', 'trained', 'aggregate'),
    exchange: count,
    degree: count,
    lineage: digest,
    digest,
    parameters
  }),
  fc.record({ kind: fc.constant('decline' as const), exchange: count }),
  fc.record({ kind: fc.constant('leave' as const) }),
  fc.record({
    kind: fc.constant('view' as const),
    entries: fc.array(
      fc.record({ peer, addresses, round: count, counter: count, left: fc.boolean() }),
      { maxLength: viewEntriesPerMessageMax }
    )
  }),
  fc.record({ kind: fc.constant('ping' as const), round: count }),
  fc.record({
    kind: fc.constant('pong' as const),
    round: count,
    newest: count,
    trains: fc.boolean()
  })
)

function frameOf(message: Message): Uint8Array {
  return Uint8Array.from(encodeFrame(message).flatMap((piece) => [...piece]))
}

function decodeFrame(frame: Uint8Array): unknown {
  const prefix = decodePrefix(frame.subarray(0, prefixBytes), layout)
  return typeof prefix === 'string' ? prefix : decodeBody(prefix, frame.slice(prefixBytes))
}

function prefixOf(type: number, headerBytes: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(prefixBytes)
  bytes.set([0x53, 0x74, 3, type])
  new DataView(bytes.buffer).setUint32(4, headerBytes, true)
  new DataView(bytes.buffer).setUint32(8, payloadBytes, true)
  return bytes
}

describe('a frame', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeFrame(frameOf(message))).toEqual(message)
        expect(frameBytes(message)).toBe(frameOf(message).length)
      })
    )
  })

  it('is where a model gets its digest, of the length that was counted', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        fc.pre('parameters' in message)
        const undigested = { ...message, digest: undefined }
        const frame = frameOf(undigested)
        expect(decodeFrame(frame)).toEqual({
          ...message,
          digest: contentDigest(message.parameters)
        })
        expect(frameBytes(undigested)).toBe(frame.length)
      })
    )
  })

  it('is refused when it is cut anywhere', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const frame = frameOf(message)
        expect(decodeFrame(frame.subarray(0, at % frame.length))).toBe('malformed')
      })
    )
  })

  it('never makes the decoder throw, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        fc.uint8Array({ maxLength: 400 }),
        (type, body) => {
          const prefix = decodePrefix(prefixOf(type, body.length, 0), layout)
          if (typeof prefix === 'string') return
          const message = decodeBody(prefix, body)
          expect(typeof message === 'string' || 'kind' in message).toBe(true)
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it('fits its own limits, even with the longest list of records', () => {
    const addresses = Array.from({ length: addressesPerContactMax }, () =>
      'a'.repeat(addressLengthMax)
    )
    const longest = { task: 't'.repeat(128), addresses, version: 'v'.repeat(versionLengthMax) }
    const numbers = { sequence: countMax, round: countMax, age: countMax }
    const record: PeerRecord = { peer: 'p'.repeat(128), role: 'helper', ...longest, ...numbers }
    const signature = new Uint8Array(signatureBytesMax)
    const signed = SignedRecord.sign(record, { sign: () => signature })
    expect(signed.record.addresses).toEqual(addresses)
    const told = { signed, heardSecondsAgo: countMax }
    const records = Array.from({ length: recordsPerMessageMax }, () => told)
    expect(decodeFrame(frameOf({ kind: 'peers', records }))).toEqual({ kind: 'peers', records })
  })

  it('brings records as their peers signed them, to the last byte', () => {
    fc.assert(
      fc.property(signedRecord, (signed) => {
        const records = [{ signed, heardSecondsAgo: 3 }]
        const { records: came } = decodeFrame(frameOf({ kind: 'peers', records })) as Peers
        expect(came[0]?.signed.isGenuine(notary.signerOf('x'))).toBe(true)
        expect(came[0]?.signed.bytes).toEqual(signed.bytes)
      })
    )
  })

  it('is malformed with a record that is none, or is longer than one may be', () => {
    const { bytes, signature } = recordOf('ana')
    const frame = (record: Uint8Array, seal: Uint8Array): unknown => {
      const header = encode({ records: [{ record, signature: seal, heard: 0 }] })
      return decodeBody({ type: 2, headerBytes: header.length, payloadBytes: 0 }, header)
    }
    expect(frame(bytes, signature)).toMatchObject({ kind: 'peers' })
    expect(frame(bytes.slice(1), signature)).toBe('malformed')
    expect(frame(encode({ peer: 'ana' }), signature)).toBe('malformed')
    expect(frame(new Uint8Array(recordBytesMax + 1), signature)).toBe('malformed')
    expect(frame(bytes, new Uint8Array(signatureBytesMax + 1))).toBe('malformed')
  })

  it('survives a header nested deeper than the stack', () => {
    const header = new Uint8Array(headerBytesMax).fill(0x81) // an array of an array of …
    expect(decodeBody({ type: 1, headerBytes: header.length, payloadBytes: 0 }, header)).toBe(
      'malformed'
    )
  })

  it('is refused with a flipped bit in its magic, version or type', () => {
    const frame = frameOf({ kind: 'leave' })
    for (let bit = 0; bit < 4 * 8; bit++) {
      const flipped = frame.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(decodeFrame(flipped)).not.toEqual({ kind: 'leave' })
    }
  })

  it('with a header that lacks a field, or has a wrong one, is malformed', () => {
    const header = encode({
      round: -1,
      age: 0,
      samples: 0,
      task: null,
      layout: null,
      addresses: []
    })
    expect(decodeBody({ type: 1, headerBytes: header.length, payloadBytes: 0 }, header)).toBe(
      'malformed'
    )
    const empty = encode({})
    expect(decodeBody({ type: 1, headerBytes: empty.length, payloadBytes: 0 }, empty)).toBe(
      'malformed'
    )
  })

  it('leaves prototypes alone', () => {
    const header = encode({ exchange: 1, ['__proto__x']: 1 })
    const evil = Uint8Array.from(header)
    const at = Buffer.from(evil).indexOf('__proto__x')
    evil[at - 1] = (evil[at - 1] ?? 0) - 1 // the key's length: now `__proto__`, followed by a stray x
    expect(decodeBody({ type: 7, headerBytes: evil.length, payloadBytes: 0 }, evil)).toBe(
      'malformed'
    )
    expect({}).not.toHaveProperty('x')
  })
})

describe('a prefix, before anything is allocated,', () => {
  it.each([
    ['a header over the limit', prefixOf(1, headerBytesMax + 1, 0), 'too-large'],
    ['an empty header', prefixOf(1, 0, 0), 'malformed'],
    ['a manifest over the limit', prefixOf(4, 1, manifestBytesMax + 1), 'too-large'],
    ['an empty manifest', prefixOf(4, 1, 0), 'malformed'],
    ['a payload where none belongs', prefixOf(1, 1, 1), 'too-large'],
    ['four gigabytes of model', prefixOf(6, 1, 0xffffffff), 'too-large'],
    ['one float too many', prefixOf(6, 1, 24), 'too-large'],
    ['one float too few', prefixOf(6, 1, 16), 'malformed'],
    ['an unknown type', prefixOf(99, 1, 0), 'malformed']
  ])('is refused for %s', (_what, bytes, fault) => {
    expect(decodePrefix(bytes, layout)).toBe(fault)
  })

  it('lets no model in while there is no task', () => {
    expect(decodePrefix(prefixOf(5, 10, 20), layout)).toEqual({
      type: 5,
      headerBytes: 10,
      payloadBytes: 20
    })
    expect(decodePrefix(prefixOf(5, 10, 20), null)).toBe('too-large')
  })
})

describe('the test vectors of docs/wire.md', () => {
  const hex = (message: Message): string => Buffer.from(frameOf(message)).toString('hex')

  it('leave', () => {
    expect(hex({ kind: 'leave' })).toBe('537403080100000000000000a0')
  })
  it('want', () => {
    expect(hex({ kind: 'want', what: 'state', task: null })).toBe(
      '537403031200000000000000a2647461736bf66477686174657374617465'
    )
  })
  it('update', () => {
    const message: Message = {
      kind: 'update',
      round: 3,
      age: 96,
      samples: 32,
      phase: 'push',
      exchange: 4,
      degree: 1,
      lineage: 'ab'.repeat(32),
      digest: 'cd'.repeat(32),
      parameters: Float32Array.of(1, -2, 0.5, 0, 3)
    }
    expect(hex(message)).toBe(
      '53740306c800000014000000' +
        'a86361676518606570686173656470757368' +
        '65726f756e6403' +
        '6664656772656501' +
        '66646967657374' +
        '7840' +
        '6364'.repeat(32) +
        '676c696e65616765' +
        '7840' +
        '6162'.repeat(32) +
        '6773616d706c65731820' +
        '6865786368616e676504' +
        '0000803f000000c00000003f0000000000004040'
    )
  })
})
