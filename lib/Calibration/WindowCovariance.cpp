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
                                   bool channelsFirst, int64_t samples)
    : geometry(geometry), channelsFirst(channelsFirst), buffer(geometry.groups),
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
      gather(values.data() + at, window / g.outW, window % g.outW);
      if (++taken % bufferedWindows == 0)
        flush();
    }
  }
}

void WindowCovariance::gather(const float *sample, int64_t oh, int64_t ow) {
  const WindowGeometry &g = geometry;
  int64_t channels = g.inC / g.groups;
  for (int64_t c = 0; c < g.inC; ++c)
    for (int64_t kh = 0; kh < g.kernelH; ++kh)
      for (int64_t kw = 0; kw < g.kernelW; ++kw) {
        int64_t h = oh * g.strideH + kh * g.dilationH - g.padTop;
        int64_t w = ow * g.strideW + kw * g.dilationW - g.padLeft;
        bool inside = h >= 0 && h < g.inH && w >= 0 && w < g.inW;
        int64_t at = channelsFirst ? (c * g.inH + h) * g.inW + w
                                   : (h * g.inW + w) * g.inC + c;
        buffer[c / channels].push_back(inside ? sample[at] : 0.0f);
      }
}

void WindowCovariance::flush() {
  int64_t n = rows();
  for (auto [group, values] : llvm::enumerate(buffer)) {
    int64_t windows = values.size() / n;
    std::vector<float> transposed(values.size());
    for (int64_t i = 0; i < windows; ++i)
      for (int64_t k = 0; k < n; ++k) {
        transposed[k * windows + i] = values[i * n + k];
        sums[group][k] += values[i * n + k];
      }
    rt::addMatmul(1, n, n, windows, transposed.data(), values.data(),
                  products[group].data());
    values.clear();
  }
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
