import { generateKeyPair } from '@libp2p/crypto/keys'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { invite, readInvitation, writeInvitation } from '../../../peer/access/invitation.ts'
import type { Invitation } from '../../../peer/access/invitation.ts'
import { isLink, readLink, writeLink } from '../../../peer/access/link.ts'
import { isStarlingError } from '../../../src/core/errors.ts'
import { linkAddressesMax, linkLengthMax } from '../../../src/core/limits.ts'
import { tinyTask } from '../../tiny-task.ts'

const task = tinyTask(1).cid
const peer = '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st'
const relay = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8'
const via = [
  `/ip4/11.22.33.44/tcp/4001/p2p/${peer}`,
  `/dns4/swarm.example.org/tcp/443/wss/p2p/${peer}`,
  `/dnsaddr/swarm.example.org/p2p/${peer}`,
  `/ip4/11.22.33.44/tcp/4001/p2p/${relay}/p2p-circuit/p2p/${peer}`
]
let invitation: Invitation
beforeAll(async () => {
  const key = await generateKeyPair('Ed25519')
  invitation = await invite(
    { task, subject: null, days: 3, uses: 1, mayInvite: false, nowMs: 0 },
    key,
    undefined
  )
})

describe('a link', () => {
  it('reads back as it was written', () => {
    expect(readLink(writeLink({ task, via }))).toEqual({ task, via })
    expect(readLink(writeLink({ task, via: [] }))).toEqual({ task, via: [] })
    const invited = { task, via, invite: invitation }
    expect(readLink(` ${writeLink(invited)}\n`)).toEqual(invited)
  })

  it('is short enough for a chat, and readable', () => {
    const link = writeLink({ task, via: via.slice(0, 1), invite: invitation })
    expect(link).toContain(`starling://join?task=${task}&via=/ip4/11.22.33.44/tcp/4001/p2p/${peer}`)
    expect(link.length).toBeLessThan(1000)
  })

  it.each([
    ['no task', `starling://join?via=${via[0]}`, /task/],
    ['two tasks', `starling://join?task=${task}&task=${task}`, /one task/],
    ['a task that is none', 'starling://join?task=../../etc/passwd', /CID/],
    ['an address of nobody', `starling://join?task=${task}&via=/ip4/1.2.3.4/tcp/1`, /p2p/],
    ['an address that is none', `starling://join?task=${task}&via=1.2.3.4`, /multiaddr/],
    ['another word', `starling://join?task=${task}&vai=${via[0]}`, /'vai.*known: task, via/],
    ['another verb', `starling://leave?task=${task}`, /begin with/],
    ['a bad escape', `starling://join?task=${task}&via=%zz`, /not complete/],
    ['a cut invitation', `starling://join?task=${task}&invite=abcd`, /invitation/],
    ['nothing', 'starling://join?', /known/],
    [
      'too many addresses',
      writeLink({ task, via: Array<string>(linkAddressesMax + 1).fill(via[0]!) }),
      /addresses/
    ],
    ['a book', `starling://join?task=${task}&via=${'x'.repeat(linkLengthMax)}`, /characters/]
  ])('with %s is refused, and says why', (_what, link, message) => {
    expect(() => readLink(link)).toThrow(message)
  })

  it('for one task does not carry an invitation for another', () => {
    const link = writeLink({ task: tinyTask(2).cid, via, invite: invitation })
    expect(() => readLink(link)).toThrow(/another task/)
  })

  it('is read or refused by name, whatever it is', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('task=', 'via=', 'invite=', '&', '%', '=', task, ...via, 'starling:'),
      fc.constantFrom(writeInvitation(invitation), '%00', '%2F')
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          const link = readLink(`starling://join?${words.join('')}`)
          expect(readLink(writeLink(link))).toEqual(link)
        } catch (error) {
          if (!isStarlingError(error)) throw error
        }
      }),
      { numRuns: 1000 }
    )
  })

  it('is told from a multiaddr', () => {
    expect(isLink('starling://join?task=x')).toBe(true)
    expect(isLink('Starling:nonsense')).toBe(true)
    expect(isLink(via[0]!)).toBe(false)
  })
})

describe('an invitation as text', () => {
  it('is refused as a whole when a byte of it has changed its meaning', () => {
    const bytes = Buffer.from(writeInvitation(invitation), 'base64url')
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ change
        let read
        try {
          read = readInvitation(changed.toString('base64url'))
        } catch (error) {
          if (!isStarlingError(error)) throw error
          return
        }
        // What reads still differs, and its signature or its key will not fit.
        expect(read).not.toEqual(invitation)
      })
    )
  })
})
