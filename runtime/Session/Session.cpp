// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A session: one chip that runs one network over any number of samples.

#include "Model/Model.h"
#include "Session/ChipCalibration.h"
#include "Session/DeviceLibrary.h"
#include "Session/DeviceName.h"
#include "Session/Host.h"
#include "Session/HostMath.h"
#include "Support/Error.h"
#include "Support/ThreadPool.h"
#include "cim-c/runtime.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <thread>

using namespace cim::rt;

struct cim_session {
  const cim_model *model = nullptr;
  cim_session_options options = {};
  // Order matters: the device goes before the library that it came from.
  DeviceLibrary library;
  cim_device *device = nullptr;
  ChipCorrections corrections; // of a chip that was calibrated
  std::unique_ptr<ThreadPool> pool;

  cim_session() = default;
  cim_session(const cim_session &) = delete;
  cim_session &operator=(const cim_session &) = delete;
  ~cim_session() {
    pool.reset();
    if (device)
      library.api()->destroy(device);
  }
};

//===----------------------------------------------------------------------===//
// Making a chip
//===----------------------------------------------------------------------===//

static cim_status deviceFailure(const cim_session &session, cim_status status,
                                const std::string &what) {
  return fail(status, what + ": " + session.library.api()->last_error());
}

static cim_status checkCapacity(const cim_session &session) {
  cim_device_info info = {};
  info.size = sizeof info;
  if (cim_status status = session.library.api()->query(session.device, &info))
    return deviceFailure(session, status, "query");
  size_t needed = session.model->manifest.arrays.size();
  if (info.array_count && needed > info.array_count)
    return fail(CIM_UNSUPPORTED,
                "the network needs %zu arrays, device '%s' has %u", needed,
                info.name, info.array_count);
  return CIM_OK;
}

static cim_status programArrays(const cim_session &session) {
  const std::vector<ArraySpec> &arrays = session.model->manifest.arrays;
  for (size_t i = 0; i < arrays.size(); ++i)
    if (cim_status status =
            session.library.api()->program(session.device, i, arrays[i].rows,
                                           arrays[i].columns, arrays[i].cells))
      return deviceFailure(session, status, format("array %zu", i));
  return CIM_OK;
}

/// As they were compiled.
static cim_status prepareLayers(const cim_session &session) {
  for (const LayerSpec &spec : session.model->manifest.layers)
    if (cim_status status =
            session.library.api()->prepare(session.device, &spec.layer))
      return deviceFailure(session, status, "layer " + spec.name);
  return CIM_OK;
}

static cim_status makeChip(cim_session &session) {
  const Manifest &manifest = session.model->manifest;
  cim_device_config config = {};
  config.size = sizeof config;
  // A driver computes what its chip does.
  const char *device = session.options.device;
  config.mode = device && isSimulatorMode(device) ? device : nullptr;
  config.target = manifest.device.empty() ? nullptr : manifest.device.c_str();
  config.seed = session.options.seed;
  config.trial = session.options.trial;
  config.age = session.options.age;
  const cim_device_api &api = *session.library.api();
  if (cim_status status = api.create(&config, &session.device))
    return deviceFailure(session, status, "create");
  if (cim_status status = checkCapacity(session))
    return status;
  if (cim_status status = programArrays(session))
    return status;
  return prepareLayers(session);
}

static unsigned threadsFor(const cim_session_options &options) {
  // An observer sees tensors in program order, sample after sample.
  if (options.observe)
    return 1;
  if (options.threads)
    return std::min(options.threads, 1024u);
  return std::max(1u, std::thread::hardware_concurrency());
}

static cim_status openSession(cim_session &session) {
  const cim_session_options &options = session.options;
  cim_status status =
      options.device_api
          ? session.library.use(options.device_api)
          : session.library.open(options.device ? options.device : "exact");
  if (status != CIM_OK)
    return status;
  session.pool = std::make_unique<ThreadPool>(threadsFor(options));
  // A network without crossbar layers runs on the host alone.
  if (session.model->manifest.layers.empty())
    return CIM_OK;
  return makeChip(session);
}

cim_status cim_session_create(cim_model *model,
                              const cim_session_options *options,
                              cim_session **session) {
  if (!model || !session)
    return fail(CIM_INVALID_ARGUMENT,
                "cim_session_create: an argument is null");
  *session = nullptr;
  if (options && options->size < sizeof options->size)
    return fail(CIM_INVALID_ARGUMENT,
                "cim_session_create: options.size is not set");
  return guarded([&]() -> cim_status {
    auto made = std::make_unique<cim_session>();
    made->model = model;
    if (options)
      memcpy(&made->options, options,
             std::min<size_t>(options->size, sizeof made->options));
    if (cim_status status = openSession(*made))
      return status;
    *session = made.release();
    return CIM_OK;
  });
}

void cim_session_destroy(cim_session *session) { delete session; }

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

namespace {
/// One thread's host, and room for a batch that is padded.
struct Worker {
  Host host;
  std::vector<std::vector<std::byte>> inputScratch, outputScratch;
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
};

/// One cim_session_run.
struct Run {
  const cim_session &session;
  const Manifest &manifest;
  uint64_t first, count;
  const void *const *inputs;
  void *const *outputs;
  std::vector<Worker> workers;
  std::atomic<bool> failed{false};

  void runChunk(uint64_t index, unsigned worker);
  void runPadded(Worker &worker, uint64_t begin, uint64_t samples);
};
} // namespace

/// A batch that is not full is completed with copies of its last sample, so
/// that padding never brings values that the network would not see anyway.
void Run::runPadded(Worker &worker, uint64_t begin, uint64_t samples) {
  worker.inputScratch.resize(manifest.inputs.size());
  worker.outputScratch.resize(manifest.outputs.size());
  for (size_t i = 0; i < manifest.inputs.size(); ++i) {
    uint64_t each = manifest.inputs[i].sampleBytes();
    std::vector<std::byte> &scratch = worker.inputScratch[i];
    scratch.resize(each * manifest.batch);
    auto *from = static_cast<const std::byte *>(inputs[i]) + begin * each;
    for (uint64_t s = 0; s < manifest.batch; ++s)
      memcpy(scratch.data() + s * each, from + std::min(s, samples - 1) * each,
             each);
    worker.inputs[i] = scratch.data();
  }
  for (size_t i = 0; i < manifest.outputs.size(); ++i) {
    worker.outputScratch[i].resize(manifest.outputs[i].sampleBytes() *
                                   manifest.batch);
    worker.outputs[i] = worker.outputScratch[i].data();
  }
  session.model->image->run(&worker.host, worker.inputs.data(),
                            worker.outputs.data());
  for (size_t i = 0; i < manifest.outputs.size(); ++i) {
    uint64_t each = manifest.outputs[i].sampleBytes();
    memcpy(static_cast<std::byte *>(outputs[i]) + begin * each,
           worker.outputScratch[i].data(), samples * each);
  }
}

void Run::runChunk(uint64_t index, unsigned workerIndex) {
  Worker &worker = workers[workerIndex];
  if (failed.load(std::memory_order_relaxed))
    return;
  SequentialOpenMP sequential;
  uint64_t begin = index * manifest.batch;
  uint64_t samples = std::min<uint64_t>(manifest.batch, count - begin);
  worker.host.firstSample = first + begin;
  worker.host.samples = samples;
  worker.inputs.resize(manifest.inputs.size());
  worker.outputs.resize(manifest.outputs.size());
  if (samples < manifest.batch) {
    runPadded(worker, begin, samples);
  } else {
    for (size_t i = 0; i < manifest.inputs.size(); ++i)
      worker.inputs[i] = static_cast<const std::byte *>(inputs[i]) +
                         begin * manifest.inputs[i].sampleBytes();
    for (size_t i = 0; i < manifest.outputs.size(); ++i)
      worker.outputs[i] = static_cast<std::byte *>(outputs[i]) +
                          begin * manifest.outputs[i].sampleBytes();
    session.model->image->run(&worker.host, worker.inputs.data(),
                              worker.outputs.data());
  }
  if (worker.host.status != CIM_OK)
    failed = true;
}

static cim_status runAll(cim_session &session, Run &run) {
  run.workers.resize(session.pool->size());
  for (Worker &worker : run.workers) {
    worker.host.manifest = &run.manifest;
    worker.host.api = session.library.api();
    worker.host.device = session.device;
    worker.host.options = &session.options;
  }
  uint64_t batch = run.manifest.batch;
  session.pool->run((run.count + batch - 1) / batch,
                    [&](uint64_t index, unsigned worker) {
                      Host &host = run.workers[worker].host;
                      cim_status status = guarded([&] {
                        run.runChunk(index, worker);
                        return CIM_OK;
                      });
                      if (status == CIM_OK || host.status != CIM_OK)
                        return;
                      host.status = status;
                      host.error = lastError();
                      run.failed = true;
                    });
  for (const Worker &worker : run.workers)
    if (worker.host.status != CIM_OK)
      return fail(worker.host.status, worker.host.error);
  return CIM_OK;
}

static cim_status checkTensors(const char *function, const char *kind,
                               const std::vector<TensorSpec> &tensors,
                               const void *const *given) {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!given[i])
      return fail(CIM_INVALID_ARGUMENT, "%s: %s %zu is null", function, kind,
                  i);
  return CIM_OK;
}

cim_status cim_session_run(cim_session *session, uint64_t first_sample,
                           uint64_t count, const void *const *inputs,
                           void *const *outputs) {
  if (!session || !inputs || !outputs)
    return fail(CIM_INVALID_ARGUMENT, "cim_session_run: an argument is null");
  const Manifest &manifest = session->model->manifest;
  if (cim_status status =
          checkTensors("cim_session_run", "input", manifest.inputs, inputs))
    return status;
  if (cim_status status =
          checkTensors("cim_session_run", "output", manifest.outputs, outputs))
    return status;
  return guarded([&] {
    Run run = {*session, manifest, first_sample, count,
               inputs,   outputs,  {},           {}};
    return runAll(*session, run);
  });
}

//===----------------------------------------------------------------------===//
// Calibrating a chip
//===----------------------------------------------------------------------===//

static cim_status calibrate(cim_session &session, uint64_t count,
                            const void *const *inputs) {
  const Manifest &manifest = session.model->manifest;
  cim_session described;
  described.model = session.model;
  described.options.device = "exact";
  described.options.threads = 1;
  std::vector<std::vector<std::byte>> results; // nobody looks at them
  std::vector<void *> outputs;
  for (const TensorSpec &output : manifest.outputs) {
    results.emplace_back(output.sampleBytes() * count);
    outputs.push_back(results.back().data());
  }
  auto call = [&](uint64_t index, const cim_device_api &api,
                  cim_device *device) -> cim_status {
    Run run = {session, manifest, 0, count, inputs, outputs.data(), {}, {}};
    Host &host = run.workers.emplace_back().host;
    host.manifest = &manifest;
    host.api = &api;
    host.device = device;
    host.options = &session.options;
    run.runChunk(index, 0);
    return host.status == CIM_OK ? CIM_OK : fail(host.status, host.error);
  };
  cim_status status = openSession(described);
  if (status == CIM_OK)
    status =
        calibrateChip(manifest, {*described.library.api(), described.device},
                      {*session.library.api(), session.device}, count, call,
                      session.corrections);
  if (status == CIM_OK)
    return status;
  // The chip is as it was made.
  std::string why = lastError();
  prepareLayers(session);
  session.corrections.clear();
  return fail(status, why);
}

/// Calls that wait for each other; each has a thread.
static constexpr uint64_t mostCalls = 256;

cim_status cim_session_calibrate(cim_session *session, uint64_t count,
                                 const void *const *inputs) {
  if (!session || !inputs)
    return fail(CIM_INVALID_ARGUMENT,
                "cim_session_calibrate: an argument is null");
  const Manifest &manifest = session->model->manifest;
  if (cim_status status = checkTensors("cim_session_calibrate", "input",
                                       manifest.inputs, inputs))
    return status;
  if (count == 0)
    return fail(CIM_INVALID_ARGUMENT,
                "cim_session_calibrate: count is 0, expected samples");
  if (manifest.layers.empty())
    return CIM_OK;
  return guarded([&] {
    return calibrate(*session, std::min(count, mostCalls * manifest.batch),
                     inputs);
  });
}
