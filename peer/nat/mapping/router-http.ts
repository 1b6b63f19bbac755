import { request } from 'node:http'
import { StarlingError } from '../../../src/core/errors.ts'
import { routerAnswerBytesMax } from '../../../src/core/limits.ts'
import { reasonOf } from '../../reason.ts'

/** A router in a home answers in milliseconds; some take seconds to change their rules. */
const answerMsMax = 5_000

export interface HttpQuestion {
  readonly headers?: Readonly<Record<string, string>>
  /** With one it is a POST. */
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Ask a router over plain HTTP: one question, no redirects, and no more read than a router says.
 * @param url - its host is an IP address
 * @throws STARLING_UNREACHABLE when no such answer comes in time
 */
export async function askOverHttp(url: URL, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const { headers = {}, body, signal } = question
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const tooLate = AbortSignal.timeout(answerMsMax)
  const asked = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) })
    },
    agent: false,
    signal: signal === undefined ? tooLate : AbortSignal.any([signal, tooLate])
  })
  asked.on('error', reject)
  asked.on('close', () => reject(new Error('it hung up')))
  asked.on('response', (response) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('error', reject)
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > routerAnswerBytesMax) reject(new Error(`more than ${routerAnswerBytesMax} bytes`))
      else chunks.push(chunk)
    })
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
    )
  })
  asked.end(body)
  try {
    return await promise
  } catch (failure) {
    const why = tooLate.aborted ? `not within ${answerMsMax} ms` : reasonOf(failure)
    throw new StarlingError(
      'STARLING_UNREACHABLE',
      `no answer from the router at ${url.host}: ${why}`
    )
  } finally {
    asked.destroy()
  }
}
