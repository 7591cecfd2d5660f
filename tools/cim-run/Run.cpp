// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Run.h.

#include "Run.h"
#include "Data.h"
#include "cim-c/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <unistd.h>

using namespace cim;
using namespace cim::run;

namespace {
struct Closer {
  void operator()(cim_model *model) const { cim_model_close(model); }
  void operator()(cim_session *session) const { cim_session_destroy(session); }
};
using Model = std::unique_ptr<cim_model, Closer>;
using Session = std::unique_ptr<cim_session, Closer>;

/// Everything that the trials share.
struct Job {
  const Options &options;
  Model model;
  std::vector<Tensor> inputs, outputs;
  std::vector<npy::Array> data, calibration;
  std::vector<int64_t> labels;
  int64_t samples = 0;
  uint32_t threads = 1;
  // Per output all trials, one after the other; only the last is kept for an
  // output that is not written.
  std::vector<std::vector<uint8_t>> results;
  std::vector<std::string> paths; // per output, empty: not written

  explicit Job(const Options &options) : options(options) {}
  bool prepare(std::string &error);
  std::optional<Trial> run(uint32_t trial, std::string &error);
  bool writeOutputs(std::string &error) const;

private:
  bool assignPaths(std::string &error);
  uint8_t *resultOf(size_t output, uint32_t trial);
  bool calibrate(cim_session *session, std::string &error);
  bool runSlices(cim_session *session, uint32_t trial, std::string &error);
};
} // namespace

bool Job::assignPaths(std::string &error) {
  paths.resize(outputs.size());
  for (const NamedFile &given : options.outputs) {
    NamedFile file = resolve(outputs, given);
    std::optional<size_t> index = findTensor(outputs, file, "output", error);
    if (!index)
      return false;
    if (!paths[*index].empty()) {
      error = "output '" + outputs[*index].name + "' is given twice";
      return false;
    }
    paths[*index] = file.path;
  }
  return true;
}

bool Job::prepare(std::string &error) {
  cim_model *opened = nullptr;
  if (cim_model_open(options.model.c_str(), &opened) != CIM_OK) {
    error = cim_last_error();
    return false;
  }
  model.reset(opened);
  inputs = inputsOf(opened);
  outputs = outputsOf(opened);
  if (!assignPaths(error))
    return false;
  // A DAC has no code for NaN, and calibration saw none; on the host they mean
  // what they mean in any float program.
  bool finite = cim_model_layer_count(opened) > 0;
  auto loaded = loadInputs(inputs, options.inputs, finite, error);
  if (!loaded)
    return false;
  data = std::move(*loaded);
  samples = data[0].shape[0];
  if (!options.calibration.empty()) {
    auto read = loadInputs(inputs, options.calibration, finite, error);
    if (!read) {
      error = "--calibrate: " + error;
      return false;
    }
    calibration = std::move(*read);
  }
  if (!options.labels.empty()) {
    auto read = npy::readLabels(options.labels, samples,
                                outputs[0].sampleElements(), error);
    if (!read) {
      error = "--labels: " + error;
      return false;
    }
    labels = std::move(*read);
  }
  threads = options.threads ? options.threads
                            : std::max(1u, std::thread::hardware_concurrency());
  results.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i)
    results[i].resize(outputs[i].sampleBytes() * samples *
                      (paths[i].empty() ? 1 : options.trials.value_or(1)));
  return true;
}

uint8_t *Job::resultOf(size_t output, uint32_t trial) {
  uint64_t each = outputs[output].sampleBytes() * samples;
  return results[output].data() + (paths[output].empty() ? 0 : trial * each);
}

/// With a terminal to show progress on, runs in about fifty slices of whole
/// batches; otherwise at once.
bool Job::runSlices(cim_session *session, uint32_t trial, std::string &error) {
  bool progress = isatty(STDERR_FILENO);
  int64_t round = int64_t(cim_model_batch(model.get())) * threads;
  int64_t slice = samples;
  if (progress)
    slice = std::max<int64_t>(1, samples / 50 / round) * round;
  for (int64_t begin = 0; begin < samples; begin += slice) {
    std::vector<const void *> from;
    std::vector<void *> to;
    for (size_t i = 0; i < inputs.size(); ++i)
      from.push_back(data[i].bytes.data() + begin * inputs[i].sampleBytes());
    for (size_t i = 0; i < outputs.size(); ++i)
      to.push_back(resultOf(i, trial) + begin * outputs[i].sampleBytes());
    int64_t count = std::min(slice, samples - begin);
    if (cim_session_run(session, begin, count, from.data(), to.data())) {
      error = cim_last_error();
      return false;
    }
    if (progress)
      fprintf(stderr, "\rchip %u: %lld of %lld samples%s", trial,
              (long long)(begin + count), (long long)samples,
              begin + count == samples ? "\r\033[K" : "");
  }
  return true;
}

bool Job::calibrate(cim_session *session, std::string &error) {
  if (calibration.empty())
    return true;
  std::vector<const void *> from;
  for (const npy::Array &array : calibration)
    from.push_back(array.bytes.data());
  int64_t count = calibration[0].shape[0];
  if (cim_session_calibrate(session, count, from.data()) == CIM_OK)
    return true;
  error = std::string("--calibrate: ") + cim_last_error();
  return false;
}

std::optional<Trial> Job::run(uint32_t trial, std::string &error) {
  cim_session_options wanted = {};
  wanted.size = sizeof wanted;
  wanted.device = options.device.c_str();
  wanted.seed = options.seed;
  wanted.trial = trial;
  wanted.age = options.age;
  wanted.threads = threads;
  cim_session *made = nullptr;
  if (cim_session_create(model.get(), &wanted, &made) != CIM_OK) {
    error = options.model + ": " + cim_last_error();
    return std::nullopt;
  }
  Session session(made);
  if (!calibrate(made, error))
    return std::nullopt;
  Trial result;
  auto start = std::chrono::steady_clock::now();
  if (!runSlices(made, trial, error))
    return std::nullopt;
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if (!labels.empty())
    result.top1 = top1(outputs[0], resultOf(0, trial), labels);
  return result;
}

bool Job::writeOutputs(std::string &error) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (paths[i].empty())
      continue;
    std::vector<int64_t> shape;
    if (options.trials)
      shape.push_back(*options.trials);
    shape.push_back(samples);
    shape.insert(shape.end(), outputs[i].sample.begin(),
                 outputs[i].sample.end());
    if (!npy::write(paths[i], npyType(outputs[i].type), shape,
                    results[i].data(), error))
      return false;
  }
  return true;
}

static std::optional<Results> runTrials(const Options &options,
                                        std::string &error) {
  Job job(options);
  if (!job.prepare(error))
    return std::nullopt;
  Results results;
  results.samples = job.samples;
  results.threads = job.threads;
  for (uint32_t trial = 0; trial < options.trials.value_or(1); ++trial) {
    std::optional<Trial> result = job.run(trial, error);
    if (!result)
      return std::nullopt;
    results.trials.push_back(*result);
  }
  if (!job.writeOutputs(error))
    return std::nullopt;
  return results;
}

std::optional<Results> cim::run::runNetwork(const Options &options,
                                            std::string &error) {
  try {
    return runTrials(options, error);
  } catch (const std::bad_alloc &) {
    error = "out of memory";
    return std::nullopt;
  }
}
