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

/// A layer packed for one instruction set.
struct Packed {
  LayerConstants constants = {};
  PadJob pad = {};           // without the pointers
  uint64_t imageBytes = 0;   // of one padded image
  uint32_t imagesAtOnce = 1; // so many that a register tile is full
  uint32_t windowsPerImage = 0;
  uint64_t inputBytes = 0, outputBytes = 0; // of one image as it comes and goes
  bool squares = false; // the high and low images are needed
  const KernelTable *kernels = nullptr;
  std::vector<uint32_t> corners;
  std::vector<Tile> tiles;

  // What the tiles point to.
  std::deque<std::vector<TileBlock>> blockLists;
  std::deque<Aligned<uint32_t>> offsets;
  std::deque<Aligned<int8_t>> cells;
  std::deque<Aligned<int32_t>> starts;
  std::deque<Aligned<float>> columns;
  std::deque<ColumnStage> stages;
  std::deque<std::vector<const float *>> lists;
  std::vector<Thresholds> thresholds;
};

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
