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

/// The part of a magnitude that is digit `d`, in its place.
inline uint16_t digitMask(const Digits &digits, uint32_t d) {
  uint32_t mask = d + 1 < digits.count ? (1u << digits.bits) - 1 : 0xffff;
  return uint16_t(mask << (d * digits.bits));
}

inline int16_t magnitudeOf(uint8_t value, uint8_t offset) {
  // Of a signed q the offset was half of its range: undo it in 16 bits.
  int16_t q = int16_t(int16_t(value) - int16_t(offset));
  return q < 0 ? int16_t(-q) : q;
}

/// Leaves the lowest digit of every value in place; the others follow.
inline void cutDigits(const PadJob &job, uint64_t count) {
  uint8_t offset = job.offset;
  for (uint32_t d = job.digits.count; d-- > 0;) {
    const uint8_t *from = job.padded;
    uint8_t *to = job.padded + d * job.digits.stride;
    uint16_t mask = digitMask(job.digits, d);
    uint32_t shift = d * job.digits.bits;
    for (uint64_t i = 0; i < count; ++i) {
      int16_t digit = int16_t((magnitudeOf(from[i], offset) & mask) >> shift);
      to[i] = uint8_t(from[i] < offset ? offset - digit : offset + digit);
    }
  }
}

/// q^2, or the sum of its digits' squares: those of currents that add up.
/// Slices that are apart have been cut before.
inline void squareWords(const PadJob &job, const uint8_t *from, uint64_t count,
                        uint16_t *to) {
  uint8_t offset = job.offset;
  if (job.digits.count == 1 || job.digits.apart) {
    for (uint64_t i = 0; i < count; ++i) {
      int16_t q = int16_t(int16_t(from[i]) - int16_t(offset));
      to[i] = uint16_t(q * q);
    }
    return;
  }
  for (uint64_t i = 0; i < count; ++i)
    to[i] = 0;
  for (uint32_t d = 0; d < job.digits.count; ++d) {
    uint16_t mask = digitMask(job.digits, d);
    for (uint64_t i = 0; i < count; ++i) {
      uint16_t part = uint16_t(magnitudeOf(from[i], offset) & mask);
      to[i] = uint16_t(to[i] + part * part);
    }
  }
}

/// Squares of `count` values of a copy `at` bytes into the map.
template <typename V>
[[gnu::always_inline]] inline void squareMap(const PadJob &job, uint64_t at,
                                             uint64_t count) {
  constexpr uint64_t chunk = 64;
  uint16_t mask = uint16_t((1 << job.squareShift) - 1);
  for (uint64_t i = at; i < at + count; i += chunk) {
    alignas(64) uint16_t squares[chunk];
    squareWords(job, job.padded + i, chunk, squares);
    if constexpr (V::subsets)
      if (job.squares == Squares::Subsets) {
        V::subsetSums(squares, job.tables + i * subsetBytes / 2);
        continue;
      }
    for (uint64_t j = 0; j < chunk; ++j) {
      job.high[i + j] = uint8_t(squares[j] >> job.squareShift);
      job.low[i + j] = uint8_t(squares[j] & mask);
    }
  }
}

uint8_t padImage(const PadJob &job) {
  uint8_t seen = padMap(job);
  uint64_t count = uint64_t(job.height) * job.width * job.inC;
  uint32_t copies = job.digits.apart ? job.digits.count : 1;
  if (copies > 1)
    cutDigits(job, count);
  for (uint32_t copy = 0; copy < copies; ++copy) {
    uint64_t at = copy * job.digits.stride;
    if (job.squares != Squares::None)
      squareMap<Vec>(job, at, count);
    for (uint64_t i = at; job.magnitudes && i < at + count; ++i)
      job.magnitudes[i] = uint8_t(magnitudeOf(job.padded[i], job.offset));
  }
  return seen;
}

/// J of rows in order, of the windows of a batch, one after the other.
template <int Windows>
inline void drawRows(const PulseJob &job, const Keys &keys, uint32_t first,
                     uint8_t *rows, uint64_t stride) {
  WindowWords windows = job.noise;
  for (const uint32_t *&words : windows.words)
    words += first;
  for (uint32_t row = 0; row < job.rowCount; row += width) {
    uint32_t quad = (job.firstRow + row) / 4;
    F normals[Windows];
    batchNormals<1>(keys,
                    Columns(keys, Draw::Jitter, quad, quad, job.layerBlock),
                    windows, normals);
    for (int i = 0; i < Windows; ++i)
      Vec::storeBytes(rows + i * stride + row,
                      Vec::mul(Vec::set(10), normals[i]), 0, width);
  }
}

/// The pulses of a window from J of its rows. An input of 0 has none.
inline void placePulses(const PulseJob &job, uint32_t window,
                        const uint8_t *__restrict rows,
                        uint8_t *__restrict quads) {
  const uint8_t *input = job.input + job.corners[window];
  uint8_t *__restrict pulses = job.pulses + uint64_t(window) * job.pulseBytes;
  uint8_t offset = job.offset;
  for (uint32_t group = 0; group < job.groupCount; ++group)
    __builtin_memcpy(quads + 4 * group, input + job.offsets[group], 4);
  uint32_t count = 4 * job.groupCount;
  for (uint32_t i = 0; job.rows && i < count; ++i)
    pulses[i] = rows[job.rows[i]];
  const uint8_t *from = job.rows ? pulses : rows;
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t pulse = uint8_t(from[i] + pulseOffset);
    pulses[i] = quads[i] == offset ? pulseOffset : pulse;
  }
}

void drawPulses(const PulseJob &job) {
  Keys keys(job.key);
  uint64_t stride = (job.rowCount + width - 1) / width * width;
  uint8_t *quads = job.scratch + batch * stride;
  for (uint32_t first = 0; first < job.windowCount; first += batch) {
    drawRows<batch>(job, keys, first, job.scratch, stride);
    for (uint32_t i = 0; i < batch && first + i < job.windowCount; ++i)
      placePulses(job, first + i, job.scratch + i * stride, quads);
  }
}

} // namespace
