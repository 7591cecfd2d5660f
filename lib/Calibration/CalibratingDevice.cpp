// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The calibrating device: computes with the simulator, and decides gains,
// scales and biases on the way.
#include "CalibratingDevice.h"
#include "SimulatedLayer.h"
#include "Statistics.h"
#include "cim/Dialect/CIM/Transforms/SplitWeights.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>
#include <map>

using llvm::ArrayRef;

namespace cim {

namespace {

/// No scale changes by more than this.
constexpr double maxRatio = 4;

/// Chips with the cells that were decided for a matrix.
struct DecidedMatrix {
  Chips chips;
  std::vector<float> significance; // of every plane and column
};

/// What hides behind cim_device* here.
struct Device {
  NetworkCalibration &calibration;
  cim_device_config config;
  Chips chips = {};
  std::vector<const cim_layer *> layers = {}; // by id
  /// Sums of the layer that runs: kept, since new memory is slow.
  std::vector<float> sums = {};
  /// By matrix, once it is decided.
  std::vector<std::unique_ptr<DecidedMatrix>> decided = {};
};

thread_local NetworkCalibration *current = nullptr;

Device &unwrap(cim_device *device) {
  return *reinterpret_cast<Device *>(device);
}

/// Nearest integer, ties to even, of a magnitude below 2^22: beyond 2^23
/// binary32 has no fractions. Unlike nearbyint it needs no instruction of its
/// own.
float roundSmall(float x) {
  constexpr float shift = 3 << 22;
  return (x + shift) - shift;
}

/// One pass of all images through one layer.
class LayerPass {
public:
  LayerPass(Device &device, const cim_layer &layer, const cim_stream &stream)
      : device(device), layer(layer),
        result(device.calibration.layers[layer.id]),
        matrix(device.calibration.matrices[result.matrix]), stream(stream),
        simulated(layer, stream, device.chips),
        size(uint64_t(layer.out_h) * layer.out_w * layer.out_c) {}

  cim_status run() {
    if (matrix.open)
      if (cim_status status = settleMatrix())
        return status;
    gains = matrix.gains;
    if (gains.empty())
      if (cim_status status = chooseGains())
        return status;
    std::vector<float> &sums = device.sums;
    if (cim_status status = simulated.computeSums(gains, sums))
      return status;
    if (!result.sums)
      result.sums = std::make_shared<ChannelStatistics>(layer.out_c, 1);
    addStatistics(sums);
    if (matrix.open)
      result.correlation.add(layer, stream, sums.data(), *result.targets);
    if (device.calibration.sequential)
      result.correct();
    std::vector<float> scale(result.scale.begin(), result.scale.end());
    std::vector<float> bias(result.bias.begin(), result.bias.end());
    llvm::parallelFor(0, stream.image_count, [&](size_t image) {
      writeOutput({sums.data() + image * size, size}, scale.data(), bias.data(),
                  image * size);
    });
    if (device.calibration.sequential && matrix.uses == 1)
      device.decided[result.matrix].reset(); // no other call needs them
    return CIM_OK;
  }

private:
  /// Chooses the integers of the matrix, or gathers what they are to be chosen
  /// by; brings them onto chips of their own.
  cim_status settleMatrix() {
    const NetworkCalibration &calibration = device.calibration;
    OpenMatrix &open = *matrix.open;
    bool isNext = !open.isDecided && !calibration.isTrial;
    if (isNext || open.isGathering) {
      open.moments.resize(open.groups);
      for (int64_t group = 0; group < open.groups; ++group)
        open.moments[group].add(sumMoments(layer, stream, group,
                                           result.inputScale, *result.targets,
                                           open.weightsOf(group)));
      if (isNext) {
        if (calibration.progress)
          calibration.progress();
        if (cim_status status = decideMatrix())
          return status;
      }
    }
    return open.isDecided ? bringOntoChips() : CIM_OK;
  }

  /// Tries every choice behind its converters. The one whose results follow the
  /// targets best counts, with regard to what cells lose.
  cim_status decideMatrix() {
    OpenMatrix &open = *matrix.open;
    std::vector<LayerCodes> found = open.compensate();
    matrix.gains.clear(); // of integers that a first look had
    if (found.size() == 1) {
      open.take(0, std::move(found[0]));
      return CIM_OK;
    }
    Trial best;
    for (auto [i, codes] : llvm::enumerate(found)) {
      open.take(i, codes);
      Trial trial;
      if (cim_status status = measure(trial))
        return status;
      if (i == 0 || trial.explained > best.explained) {
        best = std::move(trial);
        best.choice = i;
      }
    }
    open.take(best.choice, std::move(found[best.choice]));
    device.decided[result.matrix] = std::move(best.cells);
    matrix.gains = std::move(best.gains);
    return CIM_OK;
  }

  /// One way to write a matrix, on chips of its own.
  struct Trial {
    size_t choice = 0;
    /// The variance of the targets that the layer's results would follow, less
    /// what cells and noise of converters lose.
    double explained = 0;
    std::unique_ptr<DecidedMatrix> cells;
    std::vector<float> gains;
  };

  cim_status measure(Trial &trial) {
    if (cim_status status = bringOntoChips())
      return status;
    if (cim_status status = chooseGains())
      return status;
    if (cim_status status = simulated.computeSums(gains, device.sums))
      return status;
    ChannelCorrelation correlation;
    correlation.add(layer, stream, device.sums.data(), *result.targets);
    trial.explained = correlation.getExplained() -
                      matrix.open->found.lostInCells - getConverterNoise();
    trial.cells = std::move(device.decided[result.matrix]);
    trial.gains = std::move(matrix.gains);
    return CIM_OK;
  }

  /// With `noise`, the variance that noise and offsets of converters add to the
  /// results.
  double getConverterNoise() const {
    const GainChoice &choice = device.calibration.gains;
    if (choice.method != GainMethod::Noise)
      return 0;
    const DecidedMatrix &own = *device.decided[result.matrix];
    double sum = 0;
    for (const cim_block &block : ArrayRef(layer.blocks, layer.block_count))
      for (uint32_t n = block.n; n < block.n + block.n_count; ++n) {
        double step = matrix.open->found.scales[n] * result.inputScale *
                      own.significance[block.plane * layer.out_c + n] /
                      gains[block.plane];
        sum += step * step;
      }
    return sum * choice.conversion;
  }

  cim_status bringOntoChips() {
    for (uint32_t n = 0; n < layer.out_c; ++n)
      result.scale[n] =
          matrix.open->found.scales[n] * result.inputScale / result.outputScale;
    return programMatrix();
  }

  cim_status programMatrix() {
    std::unique_ptr<DecidedMatrix> &own = device.decided[result.matrix];
    if (!own) {
      own = std::make_unique<DecidedMatrix>();
      if (cim_status status = own->chips.create(device.config))
        return status;
      if (cim_status status = programCells(*own))
        return status;
    }
    simulated.moveTo(own->chips, own->significance);
    return CIM_OK;
  }

  cim_status programCells(DecidedMatrix &decided) {
    const OpenMatrix &open = *matrix.open;
    const SplitChoice &choice = open.choices[open.chosen];
    int64_t rows = open.weights.rows(), columns = open.weights.cols();
    std::vector<int8_t> codes(rows * columns);
    for (int64_t k = 0; k < rows; ++k)
      for (int64_t n = 0; n < columns; ++n)
        codes[k * columns + n] = open.found.codes(k, n);
    Planes planes = splitExactly(choice.split, codes, rows / open.groups,
                                 columns, choice.levels, open.cellLimit);
    decided.significance = std::move(planes.significance);
    std::map<uint32_t, ArrayImage> images;
    for (const cim_block &block : ArrayRef(layer.blocks, layer.block_count)) {
      auto [entry, isNew] =
          images.try_emplace(block.array, device.chips.arrays[block.array]);
      ArrayImage &image = entry->second;
      for (uint32_t k = 0; k < block.k_count; ++k)
        for (uint32_t r = 0; r < block.repeat; ++r) {
          int64_t cell = int64_t(block.plane) * block.repeat + r;
          std::copy_n(planes.digits.data() +
                          (cell * rows + block.k + k) * columns + block.n,
                      block.n_count,
                      image.cells.data() +
                          (block.row + uint64_t(k) * block.repeat + r) *
                              image.columns +
                          block.column);
        }
    }
    for (const auto &[array, image] : images)
      if (cim_status status = decided.chips.program(
              array, image.rows, image.columns, image.cells.data()))
        return status;
    return CIM_OK;
  }

  cim_status chooseGains() {
    MatrixCalibration seen;
    if (cim_status status = simulated.observePlanes(
            device.calibration.gains.method,
            {result.scale, result.bias, result.makesLogits}, seen.planes))
      return status;
    seen.decideGains(device.calibration.gains);
    gains = seen.gains;
    if (!device.calibration.isTrial) {
      matrix.gains = gains;
      return CIM_OK;
    }
    matrix.planes.resize(layer.plane_count);
    for (auto [all, own] : llvm::zip_equal(matrix.planes, seen.planes))
      all.add(own);
    return CIM_OK;
  }

  /// In parts whose number does not depend on the machine: sums are rounded.
  void addStatistics(ArrayRef<float> sums) {
    constexpr uint64_t parts = 8;
    std::vector<ChannelStatistics> statistics(
        parts, ChannelStatistics(layer.out_c, 1));
    llvm::parallelFor(0, parts, [&](size_t part) {
      uint64_t begin = stream.image_count * part / parts * size;
      uint64_t end = stream.image_count * (part + 1) / parts * size;
      statistics[part].add(sums.slice(begin, end - begin));
    });
    for (const ChannelStatistics &part : statistics)
      result.sums->merge(part);
  }

  /// The epilogue of docs/Numerics.md section 4, for outputs from number `at`.
  void writeOutput(ArrayRef<float> sums, const float *scale, const float *bias,
                   uint64_t at) {
    auto *bytes = static_cast<char *>(stream.output) + at;
    auto *floats = static_cast<float *>(stream.output) + at;
    float lo = layer.lo, hi = layer.hi;
    bool isFloat = layer.out_type == CIM_F32;
    bool isFloor = layer.out_rounding == CIM_FLOOR;
    for (size_t i = 0; i < sums.size(); i += layer.out_c)
      for (uint32_t n = 0; n < layer.out_c; ++n) {
        float y = sums[i + n] * scale[n];
        y = y + bias[n];
        // Bounds of integers are integers: clamping may come first.
        y = std::min(std::max(y, lo), hi);
        if (isFloat) {
          floats[i + n] = y;
          continue;
        }
        float nearest = roundSmall(y);
        if (isFloor)
          nearest -= nearest > y ? 1.0f : 0.0f;
        bytes[i + n] = static_cast<char>(static_cast<int32_t>(nearest));
      }
  }

  Device &device;
  const cim_layer &layer;
  LayerCalibration &result;
  MatrixCalibration &matrix;
  const cim_stream &stream;
  SimulatedLayer simulated;
  uint64_t size;            // of the result of one image
  std::vector<float> gains; // of every plane
};

} // namespace

void MatrixCalibration::decideGains(const GainChoice &choice) {
  gains.clear();
  for (const PlaneSums &sums : planes)
    gains.push_back(choice.choose(sums));
}

void LayerCalibration::correct() {
  if (mean.empty() || deviation.empty() || !sums)
    return;
  // Of what differs from the float network, the part that does not vary with it
  // is noise: least squares makes the scale smaller.
  std::vector<double> coefficients = correlation.compute();
  for (size_t n = 0; n < coefficients.size(); ++n)
    deviation[n] *= coefficients[n];
  std::vector<double> sumMean = sums->mean(), sumDeviation = sums->deviation();
  for (size_t n = 0; n < scale.size(); ++n) {
    double found = std::abs(scale[n]) * sumDeviation[n];
    double ratio =
        found > 0 && deviation[n] > 0
            ? std::clamp(deviation[n] / found, 1 / maxRatio, maxRatio)
            : 1;
    scale[n] *= ratio;
    bias[n] = mean[n] - scale[n] * sumMean[n];
  }
}

//===----------------------------------------------------------------------===//
// The table of functions
//===----------------------------------------------------------------------===//

static void destroy(cim_device *handle) { delete &unwrap(handle); }

static cim_status create(const cim_device_config *config, cim_device **handle) {
  std::unique_ptr<Device> device(new Device{*current, *config});
  device->decided.resize(current->matrices.size());
  if (cim_status status = device->chips.create(*config))
    return status;
  *handle = reinterpret_cast<cim_device *>(device.release());
  return CIM_OK;
}

static cim_status query(cim_device *handle, cim_device_info *info) {
  Device &device = unwrap(handle);
  return device.chips.simulator.query(device.chips.exact, info);
}

static cim_status program(cim_device *handle, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  return unwrap(handle).chips.program(array, rows, columns, cells);
}

static cim_status prepare(cim_device *handle, const cim_layer *layer) {
  Device &device = unwrap(handle);
  const std::vector<LayerCalibration> &known = device.calibration.layers;
  if (layer->id >= known.size() ||
      known[layer->id].scale.size() != layer->out_c)
    return fail(CIM_INVALID_ARGUMENT, "a layer that calibration does not know");
  if (device.layers.size() <= layer->id)
    device.layers.resize(layer->id + 1);
  device.layers[layer->id] = layer;
  return CIM_OK;
}

static cim_status streamLayer(cim_device *handle, const cim_stream *stream) {
  Device &device = unwrap(handle);
  if (stream->layer >= device.layers.size() || !device.layers[stream->layer])
    return fail(CIM_WRONG_STATE, "a layer that was not prepared");
  return LayerPass(device, *device.layers[stream->layer], *stream).run();
}

static cim_status wait(cim_device *) { return CIM_OK; }

const cim_device_api *getCalibratingDevice(NetworkCalibration &calibration) {
  static const cim_device_api api = {sizeof(cim_device_api),
                                     CIM_DEVICE_VERSION,
                                     create,
                                     destroy,
                                     query,
                                     program,
                                     prepare,
                                     streamLayer,
                                     wait,
                                     getLastError};
  current = &calibration;
  return &api;
}

} // namespace cim
