import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ed25519Signer } from '../../../peer/discovery/signer.ts'
import { SignedRecord } from '../../../protocols/records/record.ts'
import { signatureBytesMax } from '../../../src/core/limits.ts'

const keys = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
const [ana, ben] = keys.map((key) => peerIdFromPrivateKey(key).toString()) as [string, string]
const signer = ed25519Signer(keys[0])
const bytes = Uint8Array.from({ length: 200 }, (_, i) => i)

describe('a signature by the key of a node', () => {
  it('fits its peer id and its bytes, and no other', () => {
    const signature = signer.sign(bytes)
    expect(signature.length).toBe(signatureBytesMax)
    expect(signer.verify(ana, bytes, signature)).toBe(true)
    expect(signer.verify(ben, bytes, signature)).toBe(false)
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = bytes.slice()
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(signer.verify(ana, changed, signature)).toBe(false)
      }),
      { numRuns: 20 }
    )
  })

  it('is what libp2p itself would make and take', async () => {
    const signature = signer.sign(bytes)
    expect(await keys[0].publicKey.verify(bytes, signature)).toBe(true)
    expect(signer.verify(ana, bytes, await keys[0].sign(bytes))).toBe(true)
  })

  it('of nobody whose id has no Ed25519 key in it is genuine, and nothing throws', async () => {
    const signature = signer.sign(bytes)
    const other = peerIdFromPrivateKey(await generateKeyPair('secp256k1')).toString()
    for (const peer of [
      '',
      'ana',
      other,
      ana.slice(0, -1),
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'
    ]) {
      expect(signer.verify(peer, bytes, signature)).toBe(false)
    }
    for (const damaged of [new Uint8Array(0), new Uint8Array(64), signature.subarray(1)]) {
      expect(signer.verify(ana, bytes, damaged)).toBe(false)
    }
  })

  it('is not made with a key of another type', async () => {
    const key = await generateKeyPair('secp256k1')
    expect(() => ed25519Signer(key)).toThrow(/Ed25519/)
  })

  it('makes a record that travels as bytes', () => {
    const record = { peer: ana, sequence: 3, role: 'peer', task: null, addresses: [] } as const
    const signed = SignedRecord.sign({ ...record, version: '0.1.0', round: 1, age: 2 }, signer)
    const read = SignedRecord.read(signed.bytes, signed.signature)
    expect(read?.isGenuine(ed25519Signer(keys[1]))).toBe(true)
    expect(signer.verify(ana, signed.bytes, signed.signature)).toBe(false) // a domain of its own
  })

  it('is that of the test vector in docs/wire.md', async () => {
    const seed = Uint8Array.from({ length: 32 }, (_, i) => i)
    const key = await generateKeyPairFromSeed('Ed25519', seed)
    const peer = peerIdFromPrivateKey(key).toString()
    const facts = { sequence: 7, role: 'peer', task: null, round: 3, age: 96 } as const
    const addresses = ['/ip4/192.0.2.7/tcp/4001']
    const record = { peer, addresses, version: '0.1.0', ...facts }
    const { bytes, signature } = SignedRecord.sign(record, ed25519Signer(key))
    expect(peer).toBe('12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB')
    expect(Buffer.from(bytes).toString('hex')).toBe(
      'a8636167651860' +
        '64706565727834' +
        Buffer.from(peer).toString('hex') +
        '64726f6c656470656572' +
        '647461736bf6' +
        '65726f756e6403' +
        '6776657273696f6e65302e312e30' +
        '6873657175656e636507' +
        '6961646472657373657381772f6970342f3139322e302e322e372f7463702f34303031'
    )
    expect(Buffer.from(signature).toString('hex')).toBe(
      '981618d61e47790eefb3c2f335ea955aac54c99c43c3962360f6ea5735f28a2c' +
        '99c942c548b1425bc35db9f7501b864cda0b82eef2f003570f9179b4cabb7d06'
    )
  })
})
