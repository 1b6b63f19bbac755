import { Random } from '../../core/random.ts'
import { checkPartSize, type Source, type SourcePart } from './source.ts'

/**
 * The built-in data set: ten made-up characters, written by an unsteady hand on bad paper.
 *
 * Sample `index` of a part is a function of (seed, part, index) alone, so a larger set begins with
 * the smaller one. The characters are the same for every seed: peers with different seeds have
 * different samples of one task.
 */

const side = 28
const pixels = side * side
const classes = 10

// How bad hand and paper are. Chosen by trial so that 200 samples teach a linear model 6 of 10
// characters and 2,000 teach it 8; test/learning/data/glyphs.test.ts watches over it.
/** Farthest that a corner strays, where a character is 2 wide. */
const wobble = 0.18
/** Farthest that a character is turned, in radians, and shifted, in pixels. */
const turnMax = 0.28
const shiftMax = 1.5
const scratchesMax = 2
/** Share of samples with a blank patch. */
const stainShare = 0.25
/** Farthest that noise moves a pixel, where ink is 1. */
const noise = 0.25

export const glyphsDefaults = { trainCount: 6000, testCount: 2000, seed: 0 }

export interface GlyphsOptions {
  readonly trainCount: number
  readonly testCount: number
  readonly seed: number
}

/** Corners of a stroke in a square from (−1, −1), top left, to (1, 1); between them, a smooth curve. */
type Stroke = readonly (readonly [x: number, y: number])[]

/** In pairs that are easily mistaken for each other. */
const characters: readonly (readonly Stroke[])[] = [
  // a hook to the left, and the same hook with a bar
  [
    [
      [0.3, -0.9],
      [0.35, 0.1],
      [0.2, 0.8],
      [-0.5, 0.7]
    ]
  ],
  [
    [
      [0.3, -0.9],
      [0.35, 0.1],
      [0.2, 0.8],
      [-0.5, 0.7]
    ],
    [
      [-0.4, -0.4],
      [0.8, -0.4]
    ]
  ],
  // an open bowl, and a closed one
  [
    [
      [0.6, -0.6],
      [-0.1, -0.9],
      [-0.7, 0],
      [-0.1, 0.9],
      [0.6, 0.6]
    ]
  ],
  [
    [
      [0.6, -0.6],
      [-0.1, -0.9],
      [-0.7, 0],
      [-0.1, 0.9],
      [0.6, 0.6],
      [0.7, -0.1],
      [0.5, -0.65]
    ]
  ],
  // two legs that meet at the top, and two that meet half-way up a post
  [
    [
      [-0.7, 0.9],
      [0, -0.9]
    ],
    [
      [0, -0.9],
      [0.7, 0.9]
    ]
  ],
  [
    [
      [0, -0.9],
      [0, 0]
    ],
    [
      [0, 0],
      [-0.7, 0.9]
    ],
    [
      [0, 0],
      [0.7, 0.9]
    ]
  ],
  // a wave, and a zigzag
  [
    [
      [-0.7, -0.5],
      [0.2, -0.9],
      [0.5, -0.3],
      [-0.4, 0.3],
      [0, 0.9],
      [0.7, 0.5]
    ]
  ],
  [
    [
      [-0.6, -0.8],
      [0.6, -0.8]
    ],
    [
      [0.6, -0.8],
      [-0.6, 0.8]
    ],
    [
      [-0.6, 0.8],
      [0.6, 0.8]
    ]
  ],
  // two crossed lines, upright and aslant
  [
    [
      [0, -0.9],
      [0, 0.9]
    ],
    [
      [-0.8, -0.1],
      [0.8, 0.1]
    ]
  ],
  [
    [
      [-0.7, -0.8],
      [0.7, 0.8]
    ],
    [
      [0.7, -0.8],
      [-0.7, 0.8]
    ]
  ]
]

/** @throws STARLING_BAD_DATA when a part would not fit the memory set aside for it */
export function openGlyphs({ trainCount, testCount, seed }: GlyphsOptions): Source {
  return {
    shape: [side, side, 1],
    classes,
    train: glyphsPart('train', trainCount, seed),
    test: glyphsPart('test', testCount, seed)
  }
}

function glyphsPart(part: 'train' | 'test', count: number, seed: number): SourcePart {
  checkPartSize('glyphs', count, pixels)
  const diceOf = (index: number) => new Random(`glyphs/${seed}/${part}/${index}`)
  const labels = new Uint16Array(count)
  for (let index = 0; index < count; index++) labels[index] = diceOf(index).integer(classes)
  return {
    labels,
    count,
    read(rows) {
      const features = new Float32Array(rows.length * pixels)
      for (const [to, row] of rows.entries()) {
        draw(
          features.subarray(to * pixels, (to + 1) * pixels),
          diceOf(row).fork('pixels'),
          labels[row] as number
        )
      }
      return {
        features,
        labels: Uint16Array.from(rows, (row) => labels[row] as number),
        count: rows.length
      }
    }
  }
}

/** Segments that a curve between two corners is drawn in. */
const segmentsPerCorner = 4

/**
 * Draw one sample.
 * @param image - shape [28, 28], zeros; filled with whole 255ths in [0, 1], so that the last bits
 *   of an engine's sine do not decide what a pixel is
 */
function draw(image: Float32Array, dice: Random, label: number): void {
  const place = handOf(dice)
  const radius = between(dice, 0.5, 1.4)
  for (const stroke of characters[label] as readonly Stroke[]) {
    drawStroke(
      image,
      stroke.map(([x, y]) => place(x + spread(dice, wobble), y + spread(dice, wobble))),
      radius,
      between(dice, 0.6, 1)
    )
  }
  for (let scratches = dice.integer(scratchesMax + 1); scratches > 0; scratches--) {
    const [x, y] = [between(dice, 2, side - 2), between(dice, 2, side - 2)]
    const end = [x + spread(dice, 9), y + spread(dice, 9)] as const
    drawStroke(image, [[x, y], end], between(dice, 0.4, 1.2), between(dice, 0.4, 1))
  }
  if (dice.next() < stainShare) stain(image, dice)
  for (let i = 0; i < pixels; i++) {
    const noisy = (image[i] as number) + noise * (dice.next() + dice.next() - 1)
    image[i] = Math.round(255 * Math.max(0, Math.min(1, noisy))) / 255
  }
}

/** A hand's habits: where a point of the character comes to lie on the paper, in pixels. */
function handOf(dice: Random): (x: number, y: number) => readonly [number, number] {
  const angle = spread(dice, turnMax)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const width = between(dice, 6.5, 10.5)
  const height = between(dice, 7, 11)
  const slant = spread(dice, 0.3)
  const [left, top] = [
    side / 2 - 0.5 + spread(dice, shiftMax),
    side / 2 - 0.5 + spread(dice, shiftMax)
  ]
  return (x, y) => {
    const [wide, high] = [width * (x + slant * y), height * y]
    return [left + cos * wide - sin * high, top + sin * wide + cos * high]
  }
}

/** Ink wherever the curve through the corners (Catmull-Rom) passes within the radius, soft at the edge. */
function drawStroke(
  image: Float32Array,
  corners: readonly (readonly [number, number])[],
  radius: number,
  ink: number
): void {
  const corner = (index: number) =>
    corners[Math.max(0, Math.min(corners.length - 1, index))] as readonly [number, number]
  const steps = corners.length === 2 ? 1 : segmentsPerCorner
  for (let index = 0; index + 1 < corners.length; index++) {
    const [a, b, c, d] = [corner(index - 1), corner(index), corner(index + 1), corner(index + 2)]
    let [fromX, fromY] = b
    for (let step = 1; step <= steps; step++) {
      const toX = along(a[0], b[0], c[0], d[0], step / steps)
      const toY = along(a[1], b[1], c[1], d[1], step / steps)
      drawSegment(image, fromX, fromY, toX, toY, radius, ink)
      fromX = toX
      fromY = toY
    }
  }
}

/** The Catmull-Rom spline from b to c, at t of the way. */
function along(a: number, b: number, c: number, d: number, t: number): number {
  const curve = 2 * a - 5 * b + 4 * c - d
  const bend = 3 * b - a - 3 * c + d
  return b + 0.5 * t * (c - a + t * (curve + t * bend))
}

function drawSegment(
  image: Float32Array,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  radius: number,
  ink: number
): void {
  const reach = radius + 0.5
  const [left, right] = within(Math.min(fromX, toX) - reach, Math.max(fromX, toX) + reach)
  const [top, bottom] = within(Math.min(fromY, toY) - reach, Math.max(fromY, toY) + reach)
  const [runX, runY] = [toX - fromX, toY - fromY]
  const lengthSquared = Math.max(1e-9, runX * runX + runY * runY)
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const share = ((x - fromX) * runX + (y - fromY) * runY) / lengthSquared
      const nearest = Math.max(0, Math.min(1, share))
      const [offX, offY] = [x - fromX - nearest * runX, y - fromY - nearest * runY]
      const shade = ink * Math.min(1, reach - Math.sqrt(offX * offX + offY * offY))
      const pixel = y * side + x
      if (shade > (image[pixel] as number)) image[pixel] = shade
    }
  }
}

/** Blank a rectangle. */
function stain(image: Float32Array, dice: Random): void {
  const [width, height] = [4 + dice.integer(6), 4 + dice.integer(6)]
  const [left, top] = [4 + dice.integer(20 - width), 4 + dice.integer(20 - height)]
  for (let y = top; y < top + height; y++) {
    image.fill(0, y * side + left, y * side + left + width)
  }
}

/** The whole pixels in [low, high] that are on the paper. */
function within(low: number, high: number): [number, number] {
  return [Math.max(0, Math.ceil(low)), Math.min(side - 1, Math.floor(high))]
}

function between(dice: Random, low: number, high: number): number {
  return low + (high - low) * dice.next()
}

/** Around 0, at most `most` away. */
function spread(dice: Random, most: number): number {
  return between(dice, -most, most)
}
