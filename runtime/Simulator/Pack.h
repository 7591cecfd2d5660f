// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A plan in the form that vector kernels read.
#ifndef CIM_RUNTIME_SIMULATOR_PACK_H
#define CIM_RUNTIME_SIMULATOR_PACK_H

#include "Simulator/Dispatch.h"
#include "Simulator/Plan.h"

#include <cstdlib>
#include <deque>
#include <new>

namespace cim::sim {

/// Memory for vector loads.
template <typename T> class Aligned {
public:
  Aligned() = default;
  explicit Aligned(size_t count) { grow(count); }
  Aligned(Aligned &&other) noexcept : values(other.values), room(other.room) {
    other.values = nullptr;
    other.room = 0;
  }
  Aligned &operator=(Aligned &&) = delete;
  ~Aligned() { free(values); }

  /// Makes room for `count` values, all 0 when it has to move.
  void grow(size_t count) {
    if (count <= room)
      return;
    free(values);
    size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
    values = static_cast<T *>(aligned_alloc(64, bytes));
    room = values ? count : 0;
    if (!values)
      throw std::bad_alloc();
    for (size_t i = 0; i < count; ++i)
      values[i] = T();
  }
  T *data() const { return values; }
  T &operator[](size_t i) const { return values[i]; }

private:
  T *values = nullptr;
  size_t room = 0;
};

/// How images go to the kernels: whole images, several at once where they are
/// small, or bands of rows of large ones.
struct Pieces {
  PadJob pad = {};       // of one whole piece, without the pointers
  uint32_t images = 1;   // of a piece; more than one only when whole
  uint32_t bandRows = 0; // of the output
  uint32_t outH = 0, outW = 0;
  uint32_t strideH = 0;    // of the input's rows from output row to output row
  uint32_t kernelRows = 0; // of the input that one output row needs
  std::vector<uint32_t> corners; // of a piece's windows
  uint32_t windowsAtOnce = 0;    // whose pulses are drawn before they are read

  uint32_t rowBytes() const { return pad.width * pad.inC; }
  /// Bytes of one padded image, or band.
  uint64_t padBytes() const { return uint64_t(pad.height) * rowBytes(); }
};

/// Pulses of a block of matrix rows, whose deviations its tiles share.
struct PulseSource {
  uint32_t ordinal, k, kCount;
  std::vector<uint32_t> offsets; // of quads of the input from the corner
  /// Of every byte of these, from a multiple of 4 on; empty: in order.
  std::vector<uint32_t> rows;
  uint32_t at; // first byte within those of a window
};

/// A layer packed for one instruction set.
struct Packed {
  LayerConstants constants = {};
  Pieces pieces;
  uint64_t inputBytes = 0;     // of one image
  uint64_t outputRowBytes = 0; // of one row of the output
  const KernelTable *kernels = nullptr;
  std::vector<Tile> tiles;
  std::vector<PulseSource> pulses;
  uint32_t pulseBytes = 0; // of a window, and a vector's more

  // What the tiles point to.
  std::deque<std::vector<TileBlock>> blockLists;
  std::deque<Aligned<uint32_t>> offsets;
  std::deque<Aligned<int8_t>> cells;
  std::deque<Aligned<int16_t>> subsets;
  std::deque<Aligned<int32_t>> starts;
  std::deque<Aligned<float>> columns;
  std::deque<ColumnStage> stages;
  std::deque<ThresholdStage> converters;
};

/// Cuts the layer's images; the constants and kernels are known.
void makePieces(const Plan &plan, uint8_t offset, Packed &packed);

/// Whether the kernels of `isa` can run the plan without saturation.
bool canPack(const Plan &plan, const Config &config, Isa isa);

std::unique_ptr<Packed> pack(const Plan &plan, const Config &config, Isa isa,
                             PhiloxKey key);

/// Runs images through a packed layer. Returns the bits that any input has,
/// after the offset: more than the DAC's bits mean an input out of range.
uint8_t runPacked(const Packed &packed, uint32_t firstImage,
                  uint32_t imageCount, const void *input, void *output);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_PACK_H
