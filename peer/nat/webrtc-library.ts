import type * as library from '@libp2p/webrtc'
import { reasonOf } from '../reason.ts'

/** What is used of the optional package `@libp2p/webrtc`. */
export type WebRtcLibrary = Pick<typeof library, 'webRTC'>

export type WebRtcLoaded =
  | { readonly kind: 'loaded'; readonly library: WebRtcLibrary }
  /** For people. */
  | { readonly kind: 'absent' | 'broken'; readonly what: string }

/**
 * Load WebRTC if the user has installed it. It brings a native library, which may be there and still
 * not work on this machine.
 */
export async function loadWebRtc(
  load: () => Promise<WebRtcLibrary> = () => import('@libp2p/webrtc')
): Promise<WebRtcLoaded> {
  try {
    const library = await load()
    if (typeof library.webRTC === 'function') return { kind: 'loaded', library }
    return { kind: 'broken', what: 'installed, but of a version that is not known here' }
  } catch (failure) {
    return isAbsence(failure)
      ? { kind: 'absent', what: 'not installed' }
      : { kind: 'broken', what: `installed, but cannot be loaded: ${reasonOf(failure)}` }
  }
}

/** Of the package itself: something that it needs in turn is a broken installation. */
function isAbsence(failure: unknown): boolean {
  const isMissing =
    failure instanceof Error && 'code' in failure && failure.code === 'ERR_MODULE_NOT_FOUND'
  return isMissing && failure.message.includes("'@libp2p/webrtc'")
}
