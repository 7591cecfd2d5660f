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

WindowCovariance::WindowCovariance(int64_t groups, int64_t rows,
                                   int64_t samples, uint64_t seed)
    : wanted(std::max(windowsPerRow * rows, minWindows)), samples(samples),
      random(seed), buffer(groups, std::vector<float>(rows * bufferedWindows)),
      products(groups, std::vector<float>(rows * rows)),
      sums(groups, std::vector<double>(rows)) {}

bool WindowCovariance::isFeasible(const WindowGeometry &geometry) {
  int64_t rows = geometry.rowsPerGroup();
  return rows <= maxRows && rows * rows * geometry.groups <= maxElements;
}

int64_t WindowCovariance::draw(int64_t end) {
  // Knuth's MMIX generator; its upper bits are the good ones.
  random = random * 6364136223846793005u + 1442695040888963407u;
  return static_cast<int64_t>((random >> 33) % end);
}

/// How many of the windows of a sample to take: all samples together make at
/// least as many as wanted, where there are more samples than that about so
/// many.
int64_t WindowCovariance::chooseWindows(int64_t available) {
  if (samples > wanted)
    return draw(samples) < wanted ? 1 : 0;
  return std::min((wanted + samples - 1) / samples, available);
}

void WindowCovariance::add(llvm::ArrayRef<float> values,
                           const WindowGeometry &g, bool channelsFirst) {
  int64_t sampleSize = g.inH * g.inW * g.inC;
  int64_t windows = g.outH * g.outW;
  for (int64_t at = 0; at + sampleSize <= static_cast<int64_t>(values.size());
       at += sampleSize) {
    int64_t count = chooseWindows(windows);
    for (int64_t i = 0; i < count; ++i) {
      int64_t window = count < windows ? draw(windows) : i;
      gather(values.data() + at, g, channelsFirst, window / g.outW,
             window % g.outW);
      ++taken;
      if (++buffered == bufferedWindows)
        flush();
    }
  }
}

void WindowCovariance::gather(const float *sample, const WindowGeometry &g,
                              bool channelsFirst, int64_t oh, int64_t ow) {
  int64_t channels = g.inC / g.groups;
  int64_t stepC = channelsFirst ? g.inH * g.inW : 1;
  int64_t stepW = channelsFirst ? 1 : g.inC;
  for (int64_t c = 0; c < g.inC; ++c) {
    float *to = buffer[c / channels].data() + buffered +
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
  for (int64_t g = 0; g < groups(); ++g) {
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
  result.reserve(groups() * n * n);
  double count = std::max<int64_t>(taken, 1);
  double keep = count / (count + n);
  for (int64_t g = 0; g < groups(); ++g)
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
