import { describe, expect, it } from 'vitest'
import { announcersMax } from '../../../src/core/limits.ts'
import { FrameVersions } from '../../../peer/network/frame-versions.ts'

const ours = '/starling/3/frames'

describe('the version of a peer', () => {
  it('is told when it is another, once, and again after it was ours', () => {
    const versions = new FrameVersions(ours)
    const theirs = '/starling/4/frames'
    const event = { kind: 'peer-incompatible', peer: 'ana', ours, theirs }
    expect(versions.check('ana', ['/ipfs/ping/1.0.0', theirs])).toEqual(event)
    expect(versions.check('ana', [theirs])).toBeUndefined()
    expect(versions.check('ana', [ours])).toBeUndefined()
    expect(versions.check('ana', [theirs])).toEqual(event)
  })

  it('is nothing to tell of whoever speaks ours as well, or none', () => {
    const versions = new FrameVersions(ours)
    expect(versions.check('ana', [ours, '/starling/4/frames'])).toBeUndefined()
    expect(versions.check('ana', ['/ipfs/ping/1.0.0', '/starling/x/frames'])).toBeUndefined()
  })

  it('is remembered of a bounded number', () => {
    const versions = new FrameVersions(ours)
    const tell = (i: number) => versions.check(`peer-${i}`, ['/starling/2/frames'])
    for (let i = 0; i <= announcersMax; i++) expect(tell(i)).toBeDefined()
    expect(tell(0)).toBeDefined()
  })
})
