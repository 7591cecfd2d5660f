// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs packed layers, piece by piece: a piece is so large that its copy, with
// the tables of read noise, stays in the second-level cache.

#include "Simulator/Normal.h"
#include "Simulator/Pack.h"

#include <algorithm>

using namespace cim;
using namespace cim::sim;

/// Bytes that a padded byte takes together with what is made of it.
static uint64_t bytesPerByte(const LayerConstants &constants,
                             const Digits &digits) {
  uint64_t bytes = constants.squares == Squares::Subsets  ? 1 + subsetBytes
                   : constants.squares == Squares::Halves ? 3
                                                          : 1;
  bytes += constants.wires;
  return bytes * (digits.apart ? digits.count : 1);
}

/// Enough images that few rows of register tiles stay empty: the least number
/// that wastes at most 2 %, or the best of those that fit.
static uint32_t imagesAtOnce(uint32_t windows, uint32_t tile, uint32_t most) {
  uint32_t best = 1;
  double least = 1e9;
  for (uint32_t images = 1; images <= most; ++images) {
    uint64_t wanted = uint64_t(images) * windows;
    double waste =
        double((wanted + tile - 1) / tile * tile) / double(wanted) - 1;
    if (waste < least - 1e-9) {
      least = waste;
      best = images;
    }
    if (waste <= 0.02)
      break;
  }
  return best;
}

void cim::sim::makePieces(const Plan &plan, uint8_t offset, Packed &packed) {
  constexpr uint64_t budget = 384 << 10;
  cim_layer l = *plan.layer;
  // A map of single pixels has no rows that hang together.
  if (l.kernel_h * l.kernel_w == 1 && l.stride_h * l.stride_w == 1 &&
      l.out_h == l.in_h && l.out_w == l.in_w && !l.pad_top && !l.pad_left) {
    l.in_h = l.out_h = l.out_h * l.out_w;
    l.in_w = l.out_w = 1;
  }
  Pieces &p = packed.pieces;
  PadJob &pad = p.pad;
  pad.inH = l.in_h;
  pad.inW = l.in_w;
  pad.inC = l.in_c;
  pad.top = -int32_t(l.pad_top);
  pad.left = -int32_t(l.pad_left);
  pad.width = (l.out_w - 1) * l.stride_w + (l.kernel_w - 1) * l.dilation_w + 1;
  pad.offset = offset;
  pad.squares = packed.constants.squares;
  pad.squareShift = packed.constants.squareShift;
  pad.digits = {plan.digits, plan.sliceBits, plan.slices > 1, 0};
  p.outH = l.out_h;
  p.outW = l.out_w;
  p.strideH = l.stride_h;
  p.kernelRows = (l.kernel_h - 1) * l.dilation_h + 1;
  packed.inputBytes = uint64_t(l.in_h) * l.in_w * l.in_c;
  packed.outputRowBytes =
      uint64_t(l.out_w) * l.out_c * rt::byteSize(l.out_type);

  // At least one register tile, even when that is more than the budget.
  uint64_t row =
      uint64_t(p.rowBytes()) * bytesPerByte(packed.constants, pad.digits);
  uint32_t tile = packed.kernels->windows;
  uint64_t fits = budget / row > p.kernelRows
                      ? (budget / row - p.kernelRows) / l.stride_h + 1
                      : 1;
  fits = std::max<uint64_t>(fits, (tile + l.out_w - 1) / l.out_w);
  p.bandRows = uint32_t(std::min<uint64_t>(fits, l.out_h));
  pad.height = (p.bandRows - 1) * l.stride_h + p.kernelRows;
  if (p.bandRows == l.out_h)
    p.images = imagesAtOnce(
        l.out_h * l.out_w, tile,
        uint32_t(std::max<uint64_t>(1, budget / (row * pad.height))));
  // What is written beyond the last byte of a copy stays out of the next.
  pad.digits.stride = (p.padBytes() * p.images + 127) / 64 * 64;
  for (uint32_t image = 0; image < p.images; ++image)
    for (uint32_t oh = 0; oh < p.bandRows; ++oh)
      for (uint32_t ow = 0; ow < l.out_w; ++ow)
        p.corners.push_back(uint32_t(image * p.padBytes() +
                                     uint64_t(oh) * l.stride_h * p.rowBytes() +
                                     uint64_t(ow) * l.stride_w * l.in_c));
}

namespace {
/// A thread's copy of a piece.
struct Scratch {
  Aligned<uint8_t> input, high, low, magnitudes, pulses, pulseRows;
  Aligned<int16_t> tables;
  Aligned<uint32_t> words[3];
};

/// One piece of one call: `images` images from `image` of the call, rows
/// `begin .. end` of the output.
struct Piece {
  uint32_t image, images, begin, end;
};
} // namespace

/// Makes room for a piece. Loads may reach past its last byte.
static void makeRoom(const Packed &packed, Scratch &scratch) {
  Squares squares = packed.constants.squares;
  const Digits &digits = packed.pieces.pad.digits;
  uint64_t bytes = digits.stride * (digits.apart ? digits.count : 1);
  scratch.input.grow(bytes + 64);
  if (squares == Squares::Halves) {
    scratch.high.grow(bytes + 64);
    scratch.low.grow(bytes + 64);
  }
  if (squares == Squares::Subsets)
    scratch.tables.grow((bytes + 64) * subsetBytes / 2);
  if (packed.constants.wires)
    scratch.magnitudes.grow(bytes + 64);
  for (const PulseSource &source : packed.pulses)
    scratch.pulseRows.grow(
        pulseScratch(source.kCount + 4, source.offsets.size()));
  scratch.pulses.grow(uint64_t(packed.pulseBytes) *
                      packed.pieces.windowsAtOnce);
  if (packed.constants.analog)
    for (auto &words : scratch.words)
      words.grow(packed.pieces.corners.size() + WindowWords::slack);
}

/// Copies a piece; returns the bits that any input has, after the offset.
static uint8_t padPiece(const Packed &packed, const Piece &piece,
                        const void *input, const Scratch &scratch) {
  const Pieces &p = packed.pieces;
  PadJob job = p.pad;
  job.top += int32_t(piece.begin * p.strideH);
  job.height = (piece.end - piece.begin - 1) * p.strideH + p.kernelRows;
  uint8_t seen = 0;
  for (uint32_t i = 0; i < piece.images; ++i) {
    uint64_t at = i * p.padBytes();
    job.input = static_cast<const uint8_t *>(input) +
                (piece.image + i) * packed.inputBytes;
    job.padded = scratch.input.data() + at;
    if (job.squares == Squares::Halves) {
      job.high = scratch.high.data() + at;
      job.low = scratch.low.data() + at;
    }
    if (job.squares == Squares::Subsets)
      job.tables = scratch.tables.data() + at * subsetBytes / 2;
    if (packed.constants.wires)
      job.magnitudes = scratch.magnitudes.data() + at;
    seen |= packed.kernels->pad(job);
  }
  return seen;
}

/// Names the piece's windows for noise.
static WindowWords nameWindows(const Packed &packed, const Piece &piece,
                               uint32_t firstImage, const Scratch &scratch) {
  const Pieces &p = packed.pieces;
  uint32_t count = (piece.end - piece.begin) * p.outW;
  auto *words = scratch.words;
  for (uint32_t i = 0; i < piece.images; ++i)
    packed.kernels->nameWindows(
        packed.constants.key, firstImage + piece.image + i,
        piece.begin * p.outW, count, words[0].data() + i * count,
        words[1].data() + i * count, words[2].data() + i * count);
  return {{words[0].data(), words[1].data(), words[2].data()}};
}

/// Draws the deviations of all pulses of a run's windows.
static void drawPulses(const Packed &packed, const WindowRun &run,
                       const Scratch &scratch) {
  for (const PulseSource &source : packed.pulses) {
    PulseJob job = {};
    job.key = packed.constants.key;
    job.firstRow = source.k / 4 * 4;
    job.rowCount = source.k % 4 + source.kCount;
    job.layerBlock = layerBlock(packed.constants.layer, source.ordinal);
    job.groupCount = uint32_t(source.offsets.size());
    job.offsets = source.offsets.data();
    job.rows = source.rows.empty() ? nullptr : source.rows.data();
    job.offset = packed.pieces.pad.offset;
    job.input = run.input;
    job.corners = run.corners;
    job.noise = run.noise;
    job.windowCount = run.windowCount;
    job.scratch = scratch.pulseRows.data();
    job.pulses = scratch.pulses.data() + source.at;
    job.pulseBytes = packed.pulseBytes;
    packed.kernels->drawPulses(job);
  }
}

/// `windows` windows of which `run` has the first.
static void runWindows(const Packed &packed, uint32_t windows,
                       const Scratch &scratch, WindowRun run) {
  const Pieces &p = packed.pieces;
  for (uint32_t begin = 0; begin < windows; begin += p.windowsAtOnce) {
    run.windowCount = std::min(p.windowsAtOnce, windows - begin);
    drawPulses(packed, run, scratch);
    for (const Tile &tile : packed.tiles)
      packed.kernels->run(packed.constants, tile, run);
    run.corners += run.windowCount;
    for (const uint32_t *&words : run.noise.words)
      if (words)
        words += run.windowCount;
    run.output = static_cast<char *>(run.output) +
                 run.windowCount * packed.outputRowBytes / p.outW;
  }
}

uint8_t cim::sim::runPacked(const Packed &packed, uint32_t firstImage,
                            uint32_t imageCount, const void *input,
                            void *output) {
  static thread_local Scratch scratch;
  const Pieces &p = packed.pieces;
  makeRoom(packed, scratch);
  uint8_t seen = 0;
  Piece piece = {};
  for (piece.image = 0; piece.image < imageCount; piece.image += piece.images) {
    piece.images = std::min(p.images, imageCount - piece.image);
    for (piece.begin = 0; piece.begin < p.outH; piece.begin = piece.end) {
      piece.end = std::min(piece.begin + p.bandRows, p.outH);
      seen |= padPiece(packed, piece, input, scratch);
      WindowRun run = {};
      run.input = scratch.input.data();
      run.high = scratch.high.data();
      run.low = scratch.low.data();
      run.tables = scratch.tables.data();
      run.magnitudes = scratch.magnitudes.data();
      run.pulses = scratch.pulses.data();
      run.pulseBytes = packed.pulseBytes;
      run.corners = p.corners.data();
      if (packed.constants.analog)
        run.noise = nameWindows(packed, piece, firstImage, scratch);
      run.output = static_cast<char *>(output) +
                   (uint64_t(piece.image) * p.outH + piece.begin) *
                       packed.outputRowBytes;
      uint32_t windows = piece.images * (piece.end - piece.begin) * p.outW;
      runWindows(packed, windows, scratch, run);
    }
  }
  return seen;
}
