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
  const float *attenuation;       // factor
  const float *compression;       // k
  const float *fullScale;         // F; there whenever compression is
  const float *limit;             // of the line's headroom, in codes
  const float *const *thresholds; // of the converter, ascending
  uint32_t thresholdCount;        // of one converter
  bool exponential;
};

/// What arrives at the converters, of x[rows][lanes] codes on the lines.
void bendLines(const ColumnStage &stage, uint32_t rows, uint32_t lanes,
               float *x);
/// The codes of converters with thresholds, in place.
void compareThresholds(const ColumnStage &stage, uint32_t rows, uint32_t lanes,
                       float *x);

/// One block as one tile of columns sees it. All pointers are aligned to 64
/// bytes; `lanes` is the width of the tile. Rows come in groups of four bytes
/// that lie side by side in the input; a lane of a group without a row has
/// weight 0.
struct TileBlock {
  uint32_t groupCount;
  const uint32_t *offsets;    // [groupCount], bytes from the window's corner
  const int8_t *weights;      // [groupCount][lanes][4]
  const int8_t *squares;      // the same of t^2; null without read noise
  const int32_t *start;       // [lanes], minus what the inputs' offset adds
  const float *gain;          // [lanes]
  const float *coefficient;   // [lanes]
  const float *adcGain;       // [lanes] or null
  const float *adcOffset;     // [lanes] or null
  const ColumnStage *columns; // or null
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
  float outLo, outHi;
  cim_type outType;
  uint32_t outC;
  // analog
  bool analog;
  float inverseZ; // 1: not scaled
  float readSigma, adcNoise;
  uint32_t squareShift; // the high image holds q^2 >> squareShift
  PhiloxKey key;
  uint32_t layer;
};

/// Some images of a layer. Window m, counted over all of them, begins at byte
/// corners[m] of `input`.
struct WindowRun {
  const uint8_t *input; // zero-padded images, offset to be unsigned
  const uint8_t *high;  // high and low part of q^2, laid out like input; any
                        // pointer when no block has squares
  const uint8_t *low;
  const uint32_t *corners;
  uint32_t windowCount; // of all images
  uint32_t windowsPerImage;
  uint32_t firstImage;
  void *output; // [windowCount][outC]
};

/// How to copy an image into its padded place.
struct PadJob {
  const uint8_t *input; // [inH][inW][inC]
  uint32_t inH, inW, inC;
  int32_t top, left;      // of the padded map, in the input's rows
  uint32_t height, width; // of the padded map
  uint8_t offset;         // added to every value, and what padding is
  uint32_t squareShift;
  uint8_t *padded, *high, *low; // high and low may be null
};

struct KernelTable {
  /// Lanes of a wide and of a narrow tile.
  uint32_t wide, narrow;
  /// Largest sum of two products that the integer product holds without
  /// saturation.
  int32_t pairLimit;
  void (*run)(const LayerConstants &layer, const Tile &tile,
              const WindowRun &windows);
  /// Copies and returns the bits that any (offset) value has.
  uint8_t (*pad)(const PadJob &job);
};

#if defined(__x86_64__)
extern const KernelTable avx2Kernels, avx512Kernels;
#endif

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_KERNEL_H
