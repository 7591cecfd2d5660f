// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses of layers with real cells and their gradients, after
// docs/Numerics.md, one product after the other.
#include "CellsReference.h"

using namespace mlir;

namespace cim::test {

CellsReference::CellsReference(const Shape &shape, const TunedNetwork &network,
                               const CellsData &data, ArrayRef<double> cells)
    : shape(shape), network(network), tuned(network.matrices[0]), data(data),
      matrix(tuned.planes * shape.matrixRows() * shape.filters),
      gradient(matrix.size()) {
  for (auto [place, cell] : llvm::zip_equal(findPlaces(), cells))
    matrix[place] = cell;
}

std::vector<int64_t> CellsReference::findPlaces() const {
  std::vector<int64_t> places;
  for (int64_t plane = 0; plane < tuned.planes; ++plane)
    for (int64_t k = 0; k < shape.matrixRows(); ++k)
      for (int64_t n = 0; n < shape.filters; ++n)
        if (shape.isInGroup(k, n))
          places.push_back(at(plane, k, n));
  return places;
}

Outcome CellsReference::compute() {
  outcome.tables.assign(data.tables.size(), 0);
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    ArrayRef<float> wanted = data.targets[layer];
    for (int64_t sample = 0; sample < batch; ++sample)
      for (int64_t y = 0; y < shape.outSize(0, layer); ++y)
        for (int64_t x = 0; x < shape.outSize(1, layer); ++x) {
          std::vector<int64_t> window;
          for (int64_t k = 0; k < shape.matrixRows(); ++k)
            window.push_back(read(layer, sample, y, x, k));
          addWindow(layer, window, wanted.take_front(shape.filters));
          wanted = wanted.drop_front(shape.filters);
        }
  }
  for (int64_t place : findPlaces())
    outcome.cells.push_back(gradient[place]);
  return outcome;
}

int64_t CellsReference::read(int64_t layer, int64_t sample, int64_t y,
                             int64_t x, int64_t k) const {
  int64_t channels = shape.channels / shape.groups, taps = shape.taps();
  int64_t group = k / (taps * channels), tap = k / channels % taps;
  int64_t h = y * (shape.strides[0] + layer) - shape.pads[0] +
              tap / shape.kernel[1] * shape.dilations[0];
  int64_t w = x * (shape.strides[1] + layer) - shape.pads[1] +
              tap % shape.kernel[1] * shape.dilations[1];
  if (h < 0 || h >= shape.size[0] || w < 0 || w >= shape.size[1])
    return 0;
  int64_t pixel = (sample * shape.size[0] + h) * shape.size[1] + w;
  return data.input[pixel * shape.channels + group * channels + k % channels];
}

double CellsReference::convert(ArrayRef<int64_t> window, int64_t n,
                               std::vector<double> &slopes) const {
  double sum = 0;
  MatrixOp op = tuned.op;
  for (BlockOp block : op.getBody().getOps<BlockOp>()) {
    int64_t first = block.getN(), p = block.getPlane();
    if (n < first || n >= first + int64_t(block.getNCount()))
      continue;
    auto rows =
        llvm::seq<int64_t>(block.getK(), block.getK() + block.getKCount());
    double gain = block.getGain()->convertToFloat(), x = 0;
    double significance = tuned.significance[p * shape.filters + n];
    for (int64_t k : rows)
      x += gain * double(window[k]) * matrix[at(p, k, n)];
    double code =
        shape.rounding == "nearest-even" ? std::nearbyint(x) : std::floor(x);
    code = std::clamp(code, -32.0, 31.0);
    if (shape.rounding == "mid-rise")
      code += 0.5;
    sum += code / gain * significance;
    if (x >= -32 && x <= 31)
      for (int64_t k : rows)
        slopes[p * shape.matrixRows() + k] = significance * double(window[k]);
  }
  return sum;
}

void CellsReference::addWindow(int64_t layer, ArrayRef<int64_t> window,
                               ArrayRef<float> wanted) {
  const TunedLayer &own = network.layers[layer];
  size_t first = layer * 2 * shape.filters;
  double perSample = double(data.targets[layer].size()) / batch;
  for (int64_t n = 0; n < shape.filters; ++n) {
    std::vector<double> slopes(tuned.planes * shape.matrixRows());
    double sum = convert(window, n, slopes);
    double scale = own.scale[n] * std::exp(data.tables[first + n]);
    double shift = data.tables[first + shape.filters + n] * own.deviation[n];
    double value = sum * scale + own.bias[n] + shift;
    bool isCut = layer > 0 && value < 0;
    double error = (isCut ? 0 : value) - wanted[n];
    outcome.loss += error * error / perSample;
    if (isCut)
      continue;
    double slope = 2 * error / perSample;
    outcome.tables[first + n] += slope * sum * scale;
    outcome.tables[first + shape.filters + n] += slope * own.deviation[n];
    for (auto [row, own] : llvm::enumerate(slopes))
      gradient[row * shape.filters + n] += slope * scale * own;
  }
}

} // namespace cim::test
