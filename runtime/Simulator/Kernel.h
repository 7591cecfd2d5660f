// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between the simulator and its vector kernels. Kernels are compiled with flags
// that not every processor understands, so this interface is plain structs: an
// inline function of a library, compiled in a kernel's file, might be the copy
// that the linker keeps for everybody.
#ifndef CIM_RUNTIME_SIMULATOR_KERNEL_H
#define CIM_RUNTIME_SIMULATOR_KERNEL_H

#include "Simulator/Philox.h"
#include "cim-c/hal.h"

namespace cim::sim {

/// What lines and converters do to columns beyond gain and offset
/// (docs/Numerics.md, section 5.3). Every pointer is [lanes], or null when the
/// effect is off.
struct ColumnStage {
  const float *attenuation; // factor
  const float *compression; // k
  const float *fullScale;   // F; there whenever compression is
  const float *limit;       // of the line's headroom, in codes
  bool exponential;
};

/// Converters with thresholds (docs/Numerics.md, section 5.3). As thresholds
/// lie near their ideal places, x alone says of most whether it reaches them:
/// floor(x + start) less `below` of the first; a binary search decides about
/// the 2^steps - 1 that follow.
struct ThresholdStage {
  const float *tables;  // of all lanes, each `count` ascending thresholds
  const int32_t *first; // [lanes], of a lane's table
  uint32_t count;       // 2^bits - 1
  float start;
  uint32_t below, steps;
};

/// How a layer gets V = sum t^2 q^2, the variance of read noise.
enum class Squares : uint8_t {
  None,
  /// Two integer products, with the high and the low bits of q^2.
  Halves,
  /// Subset sums. Eight neighbouring bytes of the input become a table of 32
  /// words: word subsetWord(quad, s) is the sum of q^2 over the subset s of
  /// that quad, less 2^15. A column whose t^2 are 0 or 1 looks up one word per
  /// quad. As the lookup runs beside the multiplier, four rows cost half of a
  /// product.
  Subsets,
};

/// Bytes of a table per byte of the input.
inline constexpr uint32_t subsetBytes = 8;

/// The quads take turns of four words (as packing instructions leave them).
constexpr uint32_t subsetWord(uint32_t quad, uint32_t subset) {
  return subset / 4 * 8 + quad * 4 + subset % 4;
}

/// One block as one tile of columns sees it. All pointers are aligned to 64
/// bytes; `lanes` is the width of the tile. Rows come in groups of four bytes
/// that lie side by side in the input; a lane of a group without a row has
/// weight 0.
struct TileBlock {
  uint32_t groupCount;
  const uint32_t *offsets;    // [groupCount], bytes from the window's corner
  const int8_t *weights;      // [groupCount][lanes][4]
  const int32_t *start;       // [lanes], minus what the inputs' offset adds
  const float *gain;          // [lanes]
  const float *coefficient;   // [lanes]
  const float *adcGain;       // [lanes] or null
  const float *adcOffset;     // [lanes] or null
  const ColumnStage *columns; // or null
  const ThresholdStage *thresholds; // or null
  const float *noise; // [lanes] or null: read noise joins the converter's
  // Squares::Halves
  const int8_t *squares; // like weights, of t^2
  // Squares::Subsets: groups come in pairs of eight bytes.
  const int16_t *subsets; // [groupCount / 2][lanes][2], word of the table
  // Wires
  const int8_t *loads;      // like weights: their magnitudes
  const int8_t *drops;      // like weights: D
  const int32_t *dropStart; // [lanes], like start
  const float *wire;        // [lanes]
  // Jitter
  const uint32_t *pulses; // [groupCount], bytes from the window's first pulse
  const int32_t *pulseStart; // [lanes], like start
};

/// Neighbouring columns of the matrix that have the same blocks. Lane 0 is
/// column `column`, a multiple of 4 (four columns share a noise counter); lanes
/// outside begin .. end belong to other tiles or to nobody.
struct Tile {
  uint32_t column;
  uint32_t begin, end;
  uint32_t lanes;
  uint32_t blockCount;
  const TileBlock *blocks; // position = the block's ordinal in noise counters
  const float *scale;      // [lanes]
  const float *bias;       // [lanes]
};

/// Constants of a layer.
struct LayerConstants {
  bool ideal;
  bool adcFloor, outFloor;
  float adcLo, adcHi;
  float adcHalf; // added to a code that was rounded down
  float outLo, outHi;
  cim_type outType;
  uint32_t outC;
  // analog
  bool analog;
  Squares squares;
  float inverseZ; // 1: not scaled
  float readSigma, adcNoise;
  uint32_t squareShift; // Halves: the high part is q^2 >> squareShift
  float jitter;         // 0: none
  bool wires;
  float loadUnit, dropUnit;
  PhiloxKey key;
  uint32_t layer;
};

/// What the first two rounds of Philox make of the words that are the window's:
/// it keeps words 1 and 2 apart from words 0 and 3 until then (KernelNoise.h).
struct WindowWords {
  const uint32_t *words[3]; // [windowCount]; `slack` more may be read
  static constexpr uint32_t slack = 64;
};

/// Some windows of a layer. Window m begins at byte corners[m] of `input`.
struct WindowRun {
  const uint8_t *input; // zero-padded images, offset to be unsigned
  const uint8_t *high;  // Halves: high and low part of q^2, laid out like input
  const uint8_t *low;
  const int16_t *tables;     // Subsets: of every eight bytes of input
  const uint8_t *magnitudes; // wires: of q, laid out like input
  const uint8_t *pulses;     // jitter: J + pulseOffset, a row per window
  uint32_t pulseBytes;       // of a window
  const uint32_t *corners;
  WindowWords noise; // analog
  uint32_t windowCount;
  void *output; // [windowCount][outC]
};

/// J is at most 62.
inline constexpr uint8_t pulseOffset = 64;

/// Deviations of the pulses of one block.
struct PulseJob {
  PhiloxKey key;
  uint32_t firstRow;   // a multiple of 4 matrix rows
  uint32_t rowCount;   // from there
  uint32_t layerBlock; // of the counters
  uint32_t groupCount;
  const uint32_t *offsets; // [groupCount]
  const uint32_t *rows; // [groupCount][4], of a byte, from firstRow; or null:
                        // in order
  uint8_t offset;       // an input of 0
  const uint8_t *input;
  const uint32_t *corners; // [windowCount]
  WindowWords noise;
  uint32_t windowCount;
  uint8_t *scratch; // room for pulseScratch() bytes
  uint8_t *pulses;  // [windowCount][groupCount][4] at a stride of pulseBytes
  uint32_t pulseBytes;
};

constexpr uint64_t pulseScratch(uint64_t rows, uint64_t groups) {
  constexpr uint64_t windows = 8, slack = 64;
  return windows * (rows + slack) + 4 * groups;
}

/// Inputs are cut into digits of `bits` bits.
struct Digits {
  uint32_t count; // 1: not cut
  uint32_t bits;
  bool apart; // each has a copy of the map, `stride` bytes after the last
  uint64_t stride;
};

/// How to copy (a band of) an image into its padded place.
struct PadJob {
  const uint8_t *input; // [inH][inW][inC]
  uint32_t inH, inW, inC;
  int32_t top, left;      // of the padded map, in the input's rows
  uint32_t height, width; // of the padded map
  uint8_t offset;         // added to every value, and what padding is
  Squares squares;
  uint32_t squareShift;
  Digits digits;
  uint8_t *padded, *high, *low;
  int16_t *tables;
  uint8_t *magnitudes; // or null
};

inline constexpr uint32_t drawSlack = 128;

struct KernelTable {
  /// Lanes of a wide and of a narrow tile.
  uint32_t wide, narrow;
  /// Windows that a tile of either width works on at once divide this.
  uint32_t windows;
  /// Largest sum of two products that the integer product holds without
  /// saturation.
  int32_t pairLimit;
  /// Whether there is Squares::Subsets.
  bool subsets;
  void (*run)(const LayerConstants &layer, const Tile &tile,
              const WindowRun &windows);
  /// Copies and returns the bits that any (offset) value has.
  uint8_t (*pad)(const PadJob &job);
  /// Draws and writes J + pulseOffset of windows.
  void (*drawPulses)(const PulseJob &job);
  /// normalFromBits() of the words of `quads` calls of Philox, whose word 0
  /// counts from `first`. Writes up to `drawSlack` more.
  void (*drawNormals)(PhiloxKey key, PhiloxBlock first, uint32_t quads,
                      float *normals);
  /// Makes WindowWords of windows of one image.
  void (*nameWindows)(PhiloxKey key, uint32_t image, uint32_t firstWindow,
                      uint32_t count, uint32_t *word0, uint32_t *word1,
                      uint32_t *word2);
};

#if defined(__x86_64__)
extern const KernelTable avx2Kernels, avxVnniKernels, avxVnniEvexKernels,
    avx512Kernels;
#endif

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_KERNEL_H
