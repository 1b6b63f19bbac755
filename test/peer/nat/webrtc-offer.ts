import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'

/** The protocol by which @libp2p/webrtc has two peers agree on a connection. */
export const signalling = '/webrtc-signaling/0.0.1'

/** What a browser would offer, from an address where nobody answers. */
const offer = [
  'v=0',
  'o=rtc 1 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=sendrecv',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  'a=setup:actpass',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuv',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  ''
].join('\r\n')

/** @returns what came back over the stream; undefined when it was not answered on */
export async function offerOver(
  connection: Connection
): Promise<{ readonly stream: Stream; readonly answer: string | undefined }> {
  const stream = await connection.newStream(signalling, { runOnLimitedConnection: true })
  const words = lpStream(stream)
  // Field 1 is the type, 0 for an offer, and field 2 its text.
  const text = Buffer.from(offer)
  const length = [(text.length & 0x7f) | 0x80, text.length >> 7]
  try {
    await words.write(Uint8Array.from([8, 0, 0x12, ...length, ...text]))
    return { stream, answer: Buffer.from((await words.read()).subarray()).toString('latin1') }
  } catch {
    return { stream, answer: undefined }
  }
}
