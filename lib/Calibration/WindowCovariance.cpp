// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the inputs of a layer's windows vary together.
#include "WindowCovariance.h"
#include "Session/HostMath.h"
#include <algorithm>

namespace cim {

/// Rows beyond which a covariance costs more than it brings.
static constexpr int64_t maxRows = 1152;
/// Elements of all groups together.
static constexpr int64_t maxElements = 1 << 21;
/// Windows per row of the matrix, and at least.
static constexpr int64_t windowsPerRow = 8, minWindows = 4096;
/// Windows that are multiplied at once.
static constexpr int64_t bufferedWindows = 1024;

WindowCovariance::WindowCovariance(const WindowGeometry &geometry,
                                   bool channelsFirst, int64_t samples,
                                   uint64_t seed)
    : geometry(geometry), channelsFirst(channelsFirst), random(seed),
      buffer(geometry.groups, std::vector<float>(rows() * bufferedWindows)),
      products(geometry.groups, std::vector<float>(rows() * rows())),
      sums(geometry.groups, std::vector<double>(rows())) {
  int64_t wanted = std::max(windowsPerRow * rows(), minWindows);
  windowsPerSample =
      std::min((wanted + samples - 1) / samples, geometry.outH * geometry.outW);
}

bool WindowCovariance::isFeasible(const WindowGeometry &geometry) {
  int64_t rows = geometry.rowsPerGroup();
  return rows <= maxRows && rows * rows * geometry.groups <= maxElements;
}

void WindowCovariance::add(llvm::ArrayRef<float> values) {
  const WindowGeometry &g = geometry;
  int64_t sampleSize = g.inH * g.inW * g.inC;
  int64_t windows = g.outH * g.outW;
  for (int64_t at = 0; at + sampleSize <= static_cast<int64_t>(values.size());
       at += sampleSize) {
    for (int64_t i = 0; i < windowsPerSample; ++i) {
      int64_t window = i;
      if (windowsPerSample < windows) {
        // Knuth's MMIX generator; its upper bits are the good ones.
        random = random * 6364136223846793005u + 1442695040888963407u;
        window = static_cast<int64_t>((random >> 33) % windows);
      }
      gather(values.data() + at, window / g.outW, window % g.outW, buffered);
      ++taken;
      if (++buffered == bufferedWindows)
        flush();
    }
  }
}

void WindowCovariance::gather(const float *sample, int64_t oh, int64_t ow,
                              int64_t slot) {
  const WindowGeometry &g = geometry;
  int64_t channels = g.inC / g.groups;
  int64_t stepC = channelsFirst ? g.inH * g.inW : 1;
  int64_t stepW = channelsFirst ? 1 : g.inC;
  for (int64_t c = 0; c < g.inC; ++c) {
    float *to = buffer[c / channels].data() + slot +
                c % channels * g.kernelH * g.kernelW * bufferedWindows;
    for (int64_t kh = 0; kh < g.kernelH; ++kh)
      for (int64_t kw = 0; kw < g.kernelW; ++kw, to += bufferedWindows) {
        int64_t h = oh * g.strideH + kh * g.dilationH - g.padTop;
        int64_t w = ow * g.strideW + kw * g.dilationW - g.padLeft;
        bool inside = h >= 0 && h < g.inH && w >= 0 && w < g.inW;
        *to = inside ? sample[c * stepC + (h * g.inW + w) * stepW] : 0.0f;
      }
  }
}

void WindowCovariance::flush() {
  if (buffered == 0)
    return;
  // The order of additions must not depend on the machine.
  rt::SequentialOpenMP sequential;
  int64_t n = rows();
  std::vector<float> windows(n * bufferedWindows);
  for (auto [group, values] : llvm::enumerate(buffer)) {
    // Slots that are not taken count as zeros.
    for (int64_t k = 0; k < n; ++k) {
      float *row = values.data() + k * bufferedWindows;
      std::fill(row + buffered, row + bufferedWindows, 0.0f);
      double sum = 0;
      for (int64_t i = 0; i < bufferedWindows; ++i) {
        windows[i * n + k] = row[i];
        sum += row[i];
      }
      sums[group][k] += sum;
    }
    rt::addMatmul(1, n, n, bufferedWindows, values.data(), windows.data(),
                  products[group].data());
  }
  buffered = 0;
}

void WindowCovariance::merge(WindowCovariance &other) {
  flush();
  other.flush();
  for (int64_t g = 0; g < geometry.groups; ++g) {
    for (size_t i = 0; i < products[g].size(); ++i)
      products[g][i] += other.products[g][i];
    for (size_t k = 0; k < sums[g].size(); ++k)
      sums[g][k] += other.sums[g][k];
  }
  taken += other.taken;
}

std::vector<float> WindowCovariance::compute() {
  flush();
  int64_t n = rows();
  std::vector<float> result;
  result.reserve(geometry.groups * n * n);
  double count = std::max<int64_t>(taken, 1);
  double keep = count / (count + n);
  for (int64_t g = 0; g < geometry.groups; ++g)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double covariance = products[g][i * n + j] / count -
                            sums[g][i] / count * (sums[g][j] / count);
        result.push_back(
            static_cast<float>(i == j ? covariance : keep * covariance));
      }
  return result;
}

} // namespace cim
