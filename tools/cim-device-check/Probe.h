// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a check works with: the device's table, chips made from it, and a place
// for its verdict.
#ifndef CIM_DEVICECHECK_PROBE_H
#define CIM_DEVICECHECK_PROBE_H

#include "TestLayer.h"
#include "cim-c/hal.h"

#include <string>
#include <vector>

namespace cim::check {

enum class Verdict { Ok, Failed, Skipped };

/// A shared object with a device in it.
struct Driver {
  cim_device_get_api_fn getApi = nullptr;
  const cim_device_api *api = nullptr;
};

/// Loads a driver; an error text, or empty.
std::string loadDriver(const std::string &path, Driver &driver);

/// How much the agreement checks do, and with whom.
struct Settings {
  std::string against; // a second driver, empty: none
  unsigned layers = 200;
  unsigned seed = 1;
};

class Probe {
public:
  Probe(const Driver &driver, const Settings &settings)
      : driver(driver), settings(settings), api(*driver.api) {}

  const Driver &driver;
  const Settings &settings;
  const cim_device_api &api;

  Verdict verdict = Verdict::Ok;
  std::string text; // why, or a note

  /// The first failure stays.
  void fail(const std::string &why);
  void skip(const std::string &why);
  void note(const std::string &what);
  bool ok() const { return verdict == Verdict::Ok; }

  /// Fails unless `found` is `wanted`, and comes with a text when it is an
  /// error. `call` says what was done.
  bool expect(cim_status wanted, cim_status found, const std::string &call);
  bool works(cim_status found, const std::string &call) {
    return expect(CIM_OK, found, call);
  }
};

/// What checks tell a device about its target, unless they say otherwise.
extern const char *const defaultTarget;

struct ChipOptions {
  const char *mode = nullptr;
  std::string target = defaultTarget;
  uint64_t seed = 0;
  uint32_t trial = 0;
  double age = 0;
};

/// A device that goes at the end of its scope.
class Chip {
public:
  Chip(Probe &probe, const ChipOptions &options = {})
      : Chip(probe, probe.api, options) {}
  Chip(Probe &probe, const cim_device_api &api, const ChipOptions &options);
  Chip(const Chip &) = delete;
  Chip &operator=(const Chip &) = delete;
  ~Chip() { destroy(); }

  /// Whether create worked; a mode that the device does not have is no failure
  /// of the check.
  explicit operator bool() const { return device != nullptr; }
  cim_device_info info() const;

  bool program(const test::TestLayer &layer);
  bool prepare(const test::TestLayer &layer);
  bool load(const test::TestLayer &layer) {
    return program(layer) && prepare(layer);
  }
  /// Streams `count` images from `first`, waits, and returns their outputs.
  std::vector<uint8_t> run(const test::TestLayer &layer, uint32_t first,
                           uint32_t count);
  std::vector<uint8_t> run(const test::TestLayer &layer) {
    return run(layer, 0, layer.images);
  }
  void destroy();

  cim_device *device = nullptr;

private:
  Probe &probe;
  const cim_device_api &api;
};

/// Modes of this device among ideal, exact and, if asked for, analog. Skips the
/// check when there is none.
std::vector<const char *> modesOf(Probe &probe, bool analog);

/// A small matrix product, always the same.
std::unique_ptr<test::TestLayer> smallLayer(unsigned seed = 1);

/// Whether a layer's arrays and levels fit the device.
bool fits(const cim_device_info &info, const test::TestLayer &layer);

/// One check: prints a line.
struct Check {
  const char *name; // group/what
  void (*run)(Probe &probe);
};
using Checks = std::vector<Check>;

const Checks &lifecycleChecks();
const Checks &argumentChecks();
const Checks &rangeChecks();
const Checks &streamChecks();
const Checks &numberChecks();
const Checks &agreementChecks(); // with a second driver only

const char *nameOf(cim_status status);

} // namespace cim::check

#endif // CIM_DEVICECHECK_PROBE_H
