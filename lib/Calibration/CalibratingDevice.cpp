// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The calibrating device: computes with the simulator, and decides gains,
// scales and biases on the way.
#include "CalibratingDevice.h"
#include "Session/DeviceLibrary.h"
#include "Statistics.h"
#include "cim/Dialect/CIM/Transforms/SplitWeights.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

using llvm::ArrayRef;

namespace cim {

namespace {

/// No scale changes by more than this.
constexpr double maxRatio = 4;
/// Windows that the gain of a plane is chosen by.
constexpr uint64_t gainWindows = 8192;

/// What an array was programmed with.
struct ArrayImage {
  uint32_t rows = 0, columns = 0;
  std::vector<int8_t> cells;
};

/// A simulated chip without converters, and one with them.
struct Chips {
  const cim_device_api &simulator;
  cim_device *ideal = nullptr, *exact = nullptr;
  std::map<uint32_t, ArrayImage> arrays = {};

  explicit Chips(const cim_device_api &simulator) : simulator(simulator) {}
  Chips(const Chips &) = delete;
  ~Chips() {
    for (cim_device *chip : {ideal, exact})
      if (chip)
        simulator.destroy(chip);
  }

  cim_status create(cim_device_config config) {
    config.mode = "ideal";
    cim_status status = simulator.create(&config, &ideal);
    config.mode = "exact";
    return status == CIM_OK ? simulator.create(&config, &exact) : status;
  }

  cim_status program(uint32_t array, uint32_t rows, uint32_t columns,
                     const int8_t *cells) {
    for (cim_device *chip : {ideal, exact})
      if (cim_status status =
              simulator.program(chip, array, rows, columns, cells))
        return status;
    arrays[array] = {rows, columns, {cells, cells + uint64_t(rows) * columns}};
    return CIM_OK;
  }
};

/// Chips with the cells that were decided for a matrix.
struct DecidedMatrix {
  Chips chips;
  std::vector<float> significance; // of every plane and column
};

/// What hides behind cim_device* here.
struct Device {
  NetworkCalibration &calibration;
  cim_device_config config;
  Chips chips{*rt::simulatorApi()};
  std::vector<const cim_layer *> layers = {}; // by id
  /// Sums of the layer that runs: kept, since new memory is slow.
  std::vector<float> sums = {};
  /// By matrix, once it is decided.
  std::vector<std::unique_ptr<DecidedMatrix>> decided = {};
};

thread_local NetworkCalibration *current = nullptr;
thread_local std::string lastError;

Device &unwrap(cim_device *device) {
  return *reinterpret_cast<Device *>(device);
}

cim_status fail(cim_status status, std::string text) {
  lastError = std::move(text);
  return status;
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
        matrix(device.calibration.matrices[result.matrix]),
        chips(&device.chips), significance(layer.significance), stream(stream),
        inputSize(uint64_t(layer.in_h) * layer.in_w * layer.in_c),
        windows(uint64_t(layer.out_h) * layer.out_w), ones(layer.out_c, 1.0f),
        zeros(layer.out_c, 0.0f) {}

  cim_status run() {
    if (matrix.open)
      if (cim_status status = settleMatrix())
        return status;
    gains = matrix.gains;
    if (gains.empty())
      if (cim_status status = chooseGains())
        return status;
    std::vector<float> &sums = device.sums;
    if (cim_status status = computeSums(sums))
      return status;
    if (!result.sums)
      result.sums = std::make_shared<ChannelStatistics>(layer.out_c, 1);
    addStatistics(sums);
    if (matrix.open)
      result.correlation.add(layer, stream, sums.data(), *result.targets);
    if (device.calibration.sequential)
      result.correct();
    uint64_t size = windows * layer.out_c;
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
    /// what cells lose.
    double explained = 0;
    std::unique_ptr<DecidedMatrix> cells;
    std::vector<float> gains;
  };

  cim_status measure(Trial &trial) {
    if (cim_status status = bringOntoChips())
      return status;
    if (cim_status status = chooseGains())
      return status;
    if (cim_status status = computeSums(device.sums))
      return status;
    ChannelCorrelation correlation;
    correlation.add(layer, stream, device.sums.data(), *result.targets);
    trial.explained =
        correlation.getExplained() - matrix.open->found.lostInCells;
    trial.cells = std::move(device.decided[result.matrix]);
    trial.gains = std::move(matrix.gains);
    return CIM_OK;
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
      own.reset(new DecidedMatrix{Chips(device.chips.simulator), {}});
      if (cim_status status = own->chips.create(device.config))
        return fail(status, own->chips.simulator.last_error());
      if (cim_status status = programCells(*own))
        return status;
    }
    chips = &own->chips;
    significance = own->significance.data();
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
        return fail(status, decided.chips.simulator.last_error());
    return CIM_OK;
  }

  /// Blocks of one plane that share no column.
  struct Bundle {
    std::vector<cim_block> blocks;
    std::vector<bool> covered;
  };

  std::vector<Bundle> bundleBlocks(uint32_t plane) {
    std::vector<Bundle> bundles;
    for (uint32_t i = 0; i < layer.block_count; ++i) {
      cim_block block = layer.blocks[i];
      if (block.plane != plane)
        continue;
      block.plane = 0;
      auto isFree = [&](const Bundle &bundle) {
        auto begin = bundle.covered.begin() + block.n;
        return std::find(begin, begin + block.n_count, true) ==
               begin + block.n_count;
      };
      auto bundle = llvm::find_if(bundles, isFree);
      if (bundle == bundles.end())
        bundle = bundles.insert(
            bundle, Bundle{{}, std::vector<bool>(layer.out_c, false)});
      bundle->blocks.push_back(block);
      std::fill_n(bundle->covered.begin() + block.n, block.n_count, true);
    }
    return bundles;
  }

  cim_status chooseGains() {
    std::vector<char> sample = sampleImages();
    MatrixCalibration seen;
    for (uint32_t plane = 0; plane < layer.plane_count; ++plane) {
      PlaneSums &sums = seen.planes.emplace_back();
      std::vector<double> weights = weighColumns(plane);
      for (const Bundle &bundle : bundleBlocks(plane)) {
        std::vector<float> values;
        if (cim_status status =
                streamThrough(chips->ideal, bundle.blocks, ones.data(), 1,
                              sample.data(), sample.size() / inputSize, values))
          return status;
        count(values, bundle.covered, weights, sums);
      }
      addPowers(plane, sample, weights, sums);
    }
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

  /// What the square of an error in a sum of every column counts: with noise
  /// what it does to the result, relative to the mean.
  std::vector<double> weighColumns(uint32_t plane) {
    std::vector<double> weights(layer.out_c, 1.0);
    if (device.calibration.gains.method != GainMethod::Noise)
      return weights;
    double total = 0;
    for (uint32_t n = 0; n < layer.out_c; ++n) {
      double factor = result.scale[n] * significance[plane * layer.out_c + n];
      weights[n] = factor * factor;
      total += weights[n];
    }
    for (double &weight : weights)
      weight = total > 0 ? weight * layer.out_c / total : 1;
    return weights;
  }

  /// Adds sum_k mean(q_k^2) t_k^2 of every column of the plane.
  void addPowers(uint32_t plane, ArrayRef<char> sample,
                 ArrayRef<double> weights, PlaneSums &sums) {
    if (device.calibration.gains.method != GainMethod::Noise)
      return;
    std::vector<double> powers = meanInputPowers(layer, sample);
    for (const cim_block &block : ArrayRef(layer.blocks, layer.block_count)) {
      if (block.plane != plane)
        continue;
      const ArrayImage &image = chips->arrays[block.array];
      for (uint32_t n = 0; n < block.n_count; ++n) {
        double power = 0;
        for (uint32_t row = 0; row < block.k_count * block.repeat; ++row) {
          double cell = image.cells[uint64_t(block.row + row) * image.columns +
                                    block.column + n];
          power += powers[block.k + row / block.repeat] * cell * cell;
        }
        sums.power += weights[block.n + n] * power;
        sums.weight += weights[block.n + n];
      }
    }
  }

  /// Some of the images, evenly spread.
  std::vector<char> sampleImages() {
    uint64_t count = std::clamp<uint64_t>(gainWindows / windows, 4,
                                          std::max(stream.image_count, 4u));
    count = std::min<uint64_t>(count, stream.image_count);
    std::vector<char> images(count * inputSize);
    for (uint64_t i = 0; i < count; ++i)
      memcpy(images.data() + i * inputSize,
             static_cast<const char *>(stream.input) +
                 i * stream.image_count / count * inputSize,
             inputSize);
    return images;
  }

  void count(ArrayRef<float> values, const std::vector<bool> &covered,
             ArrayRef<double> weights, PlaneSums &sums) {
    auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
    int64_t offset = static_cast<int64_t>(*lowest);
    std::vector<double> dense(static_cast<int64_t>(*highest) - offset + 1);
    for (size_t i = 0; i < values.size(); ++i)
      if (covered[i % layer.out_c])
        dense[static_cast<int64_t>(values[i]) - offset] +=
            weights[i % layer.out_c];
    for (size_t i = 0; i < dense.size(); ++i)
      if (dense[i] > 0)
        sums.histogram[offset + static_cast<int64_t>(i)] += dense[i];
  }

  cim_status computeSums(std::vector<float> &sums) {
    std::vector<cim_block> blocks(layer.blocks,
                                  layer.blocks + layer.block_count);
    for (cim_block &block : blocks)
      block.gain = gains[block.plane];
    return streamThrough(chips->exact, blocks, significance, layer.plane_count,
                         stream.input, stream.image_count, sums);
  }

  /// S of every window, by the simulator; `sums` grows when it is too small.
  cim_status streamThrough(cim_device *chip, ArrayRef<cim_block> blocks,
                           const float *significance, uint32_t planes,
                           const void *input, uint64_t images,
                           std::vector<float> &sums) {
    cim_layer plain = layer;
    plain.blocks = blocks.data();
    plain.block_count = blocks.size();
    plain.plane_count = planes;
    plain.significance = significance;
    plain.scale = ones.data();
    plain.bias = zeros.data();
    plain.lo = -std::numeric_limits<float>::infinity();
    plain.hi = std::numeric_limits<float>::infinity();
    plain.out_type = CIM_F32;
    if (cim_status status = chips->simulator.prepare(chip, &plain))
      return fail(status, chips->simulator.last_error());
    uint64_t size = images * windows * layer.out_c;
    if (sums.size() < size)
      sums.resize(size);
    std::vector<cim_status> statuses(images, CIM_OK);
    std::vector<std::string> errors(images);
    llvm::parallelFor(0, images, [&](size_t image) {
      cim_stream part = stream;
      part.size = sizeof part;
      part.layer = layer.id;
      part.first_image = image;
      part.image_count = 1;
      part.input = static_cast<const char *>(input) + image * inputSize;
      part.output = sums.data() + image * windows * layer.out_c;
      statuses[image] = chips->simulator.stream(chip, &part);
      if (statuses[image] == CIM_OK)
        statuses[image] = chips->simulator.wait(chip);
      if (statuses[image] != CIM_OK)
        errors[image] = chips->simulator.last_error();
    });
    for (uint64_t image = 0; image < images; ++image)
      if (statuses[image] != CIM_OK)
        return fail(statuses[image], errors[image]);
    return CIM_OK;
  }

  /// In parts whose number does not depend on the machine: sums are rounded.
  void addStatistics(ArrayRef<float> sums) {
    constexpr uint64_t parts = 8;
    uint64_t size = windows * layer.out_c;
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
  Chips *chips; // with the cells of the layer
  const float *significance;
  const cim_stream &stream;
  uint64_t inputSize, windows;
  std::vector<float> gains; // of every plane
  std::vector<float> ones, zeros;
};

} // namespace

void MatrixCalibration::decideGains(const GainChoice &choice) {
  gains.clear();
  for (const PlaneSums &sums : planes)
    gains.push_back(choice.choose(sums));
}

Eigen::MatrixXd OpenMatrix::weightsOf(int64_t group) const {
  int64_t rows = weights.rows() / groups, columns = weights.cols() / groups;
  return weights.block(group * rows, group * columns, rows, columns)
      .cast<double>();
}

std::vector<LayerCodes> OpenMatrix::compensate() {
  std::vector<LayerCodes> result;
  for (auto [i, choice] : llvm::enumerate(choices)) {
    LayerCodes &start =
        result.emplace_back(i == chosen ? found : choice.nearest);
    start.explained = start.lostInCells = 0;
  }
  int64_t rows = weights.rows() / groups, columns = weights.cols() / groups;
  // All have equally many cells: they are ternary, or none is.
  bool isTernary = choices.front().levels == 1;
  for (int64_t group = 0; group < groups; ++group) {
    int64_t k = group * rows, n = group * columns;
    ErrorMetric metric(std::move(moments[group]), weightsOf(group), losses,
                       isTernary);
    for (auto [choice, all] : llvm::zip_equal(choices, result)) {
      LayerCodes own;
      own.codes = all.codes.block(k, n, rows, columns);
      own.scales = all.scales.segment(n, columns);
      own = compensateErrors(metric, choice.cells, std::move(own));
      all.codes.block(k, n, rows, columns) = own.codes;
      all.scales.segment(n, columns) = own.scales;
      all.explained += own.explained;
      all.lostInCells += own.lostInCells;
    }
  }
  moments.clear();
  return result;
}

void OpenMatrix::take(size_t choice, LayerCodes codes) {
  chosen = choice;
  found = std::move(codes);
  isDecided = true;
}

void OpenMatrix::decide() {
  std::vector<LayerCodes> found = compensate();
  auto best = llvm::max_element(found, [](const auto &a, const auto &b) {
    return a.explained < b.explained;
  });
  take(best - found.begin(), std::move(*best));
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
    return fail(status, device->chips.simulator.last_error());
  *handle = reinterpret_cast<cim_device *>(device.release());
  return CIM_OK;
}

static cim_status query(cim_device *handle, cim_device_info *info) {
  Device &device = unwrap(handle);
  return device.chips.simulator.query(device.chips.exact, info);
}

static cim_status program(cim_device *handle, uint32_t array, uint32_t rows,
                          uint32_t columns, const int8_t *cells) {
  Device &device = unwrap(handle);
  if (cim_status status = device.chips.program(array, rows, columns, cells))
    return fail(status, device.chips.simulator.last_error());
  return CIM_OK;
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

static const char *getLastError() { return lastError.c_str(); }

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
