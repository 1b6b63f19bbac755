import { present } from '../../core/assert.ts'
import { textBytesMax } from '../../core/limits.ts'
import { selectLabels } from './dataset.ts'
import { badData, readWhole } from './file.ts'
import { checkPartSize, type Source, type SourcePart } from './source.ts'

/**
 * Plain text for models that read character by character. The alphabet is fixed, not gathered from
 * the text: peers must agree on it without showing each other what they have.
 */

/** Newline, printable ASCII (32 to 126) in its order, and one for anything else. */
const alphabet = [
  '\n',
  ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)),
  '\ufffd'
]
/** Characters of the alphabet: the classes of the next one. */
export const alphabetSize = alphabet.length
const indexOfAnythingElse = alphabetSize - 1

export const textDefaults = { context: 128, holdout: 0.1 }

/**
 * A text as places in the alphabet, one for each Unicode character; the line ends of Windows are
 * newlines.
 */
export function encodeText(text: string): Uint16Array {
  const indices = new Uint16Array(text.length)
  let count = 0
  for (const character of text.replaceAll('\r\n', '\n')) {
    indices[count++] = indexOf(character.charCodeAt(0))
  }
  return indices.slice(0, count)
}

/**
 * The text that these places in the alphabet stand for.
 * @param indices - each less than `alphabetSize`; anything else than the alphabet becomes U+FFFD
 */
export function decodeText(indices: ArrayLike<number>): string {
  return Array.from(indices, (index) => present(alphabet[index], `character ${index}`)).join('')
}

function indexOf(code: number): number {
  if (code === 10) return 0
  return code >= 32 && code <= 126 ? code - 31 : indexOfAnythingElse
}

/**
 * The windows of a text, end to end: of each character the next one is to be learned.
 *
 * @param context - characters of a window, at least 2
 * @param holdout - share of the text, at its end, that is for testing
 * @returns features are places in the alphabet, of shape [context]; labels those one further on
 * @throws STARLING_BAD_DATA when the file is not there, is no text, or has too little of it
 */
export function openText(file: string, context: number, holdout: number): Source {
  const text = encodeText(decodeUtf8(readWhole(file, 'text file', textBytesMax), file))
  if (text.length === 0) throw badData(file, 'is empty')
  const trainLength = Math.floor(text.length * (1 - holdout))
  return {
    shape: [context],
    classes: alphabetSize,
    positions: context,
    train: windowsOf(text.subarray(0, trainLength), context, file, 'training'),
    test: windowsOf(text.subarray(trainLength), context, file, 'testing')
  }
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badData(file, 'is not UTF-8: it is no text, or text in another encoding; convert it')
  }
  const at = text.indexOf('\0')
  if (at !== -1) throw badData(file, `is no text: character ${at} (counted from 0) is a zero byte`)
  return text
}

function windowsOf(
  text: Uint16Array,
  context: number,
  file: string,
  purpose: 'training' | 'testing'
): SourcePart {
  // The last character of all is only a label.
  const count = Math.floor((text.length - 1) / context)
  if (count < 1) {
    throw badData(
      file,
      `has ${text.length} characters for ${purpose}, but a window of ${context} and its next one ` +
        `are ${context + 1}: give a longer text, another 'holdout' or a smaller 'context'`
    )
  }
  checkPartSize(file, count, context)
  const labels = { labels: text.subarray(1, 1 + count * context), count }
  return {
    ...labels,
    read(chosen) {
      const features = new Float32Array(chosen.length * context)
      for (const [to, from] of chosen.entries()) {
        features.set(text.subarray(from * context, (from + 1) * context), to * context)
      }
      return { features, ...selectLabels(labels, chosen) }
    }
  }
}
