// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Part of KernelTemplate.h: images on their way to the kernels.

namespace {

inline uint8_t copyBytes(const uint8_t *__restrict from, uint8_t *__restrict to,
                         uint64_t count, uint8_t offset) {
  uint8_t seen = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint8_t value = uint8_t(from[i] + offset);
    to[i] = value;
    seen |= value;
  }
  return seen;
}

/// Copies the map; returns the bits that any value has.
inline uint8_t padMap(const PadJob &job) {
  uint8_t seen = 0;
  uint64_t rowBytes = uint64_t(job.width) * job.inC;
  // Columns of the padded map that lie within the input.
  int64_t first = job.left < 0 ? -int64_t(job.left) : 0;
  int64_t end = int64_t(job.inW) - job.left;
  first = first < job.width ? first : job.width;
  end = end < job.width ? end : job.width;
  end = end > first ? end : first;
  uint8_t *to = job.padded;
  uint64_t padding = 0; // bytes before `to` that are still to be filled
  auto fill = [&] {
    __builtin_memset(to - padding, job.offset, padding);
    padding = 0;
  };
  for (uint32_t h = 0; h < job.height; ++h) {
    int64_t ih = int64_t(h) + job.top;
    if (ih < 0 || ih >= job.inH) {
      to += rowBytes;
      padding += rowBytes;
      continue;
    }
    to += first * job.inC;
    padding += first * job.inC;
    fill();
    uint64_t count = (end - first) * job.inC;
    seen |= copyBytes(job.input + (ih * job.inW + first + job.left) * job.inC,
                      to, count, job.offset);
    to += count;
    padding = rowBytes - end * job.inC;
    to += padding;
  }
  fill();
  return seen;
}

inline void squareHalves(const PadJob &job, uint64_t count) {
  uint16_t mask = uint16_t((1 << job.squareShift) - 1);
  for (uint64_t i = 0; i < count; ++i) {
    // Of a signed q the offset was half of its range: undo it in 16 bits.
    int16_t q = int16_t(int16_t(job.padded[i]) - int16_t(job.offset));
    uint16_t square = uint16_t(q * q);
    job.high[i] = uint8_t(square >> job.squareShift);
    job.low[i] = uint8_t(square & mask);
  }
}

template <typename V>
[[gnu::always_inline]] inline void squareTables(const PadJob &job,
                                                uint64_t count) {
  if constexpr (V::subsets)
    for (uint64_t i = 0; i < count; i += 64)
      V::subsetSums(job.padded + i, job.offset,
                    job.tables + i * subsetBytes / 2);
}

uint8_t padImage(const PadJob &job) {
  uint8_t seen = padMap(job);
  uint64_t count = uint64_t(job.height) * job.width * job.inC;
  if (job.squares == Squares::Halves)
    squareHalves(job, count);
  else if (job.squares == Squares::Subsets)
    squareTables<Vec>(job, count);
  return seen;
}

} // namespace
