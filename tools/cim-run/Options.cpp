// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Options.h.

#include "Options.h"
#include "Check.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

using namespace cim::run;

const char *const cim::run::helpText =
    R"(OVERVIEW: runs a compiled network on an analog compute-in-memory device

USAGE: cim-run NETWORK.so --input [NAME=]X.npy [options]

A NETWORK.so comes from cim-compile. X.npy holds any number of samples on its
first axis; they run in chunks of the batch that the network was compiled for.

OPTIONS:
  --input [NAME=]X.npy    samples of one network input; NAME may be left out
                          when the network has one. Write ./a=b.npy for a file
                          with '=' in its name
  --output [NAME=]Y.npy   where to write an output (default: nowhere); NAME may
                          be left out for the first. With --trials the array
                          has one more axis in front, of length T. Every output
                          needs a file of its own, which is nothing else here
  --calibrate [NAME=]C.npy
                          calibrate every chip before it runs: samples of one
                          network input, at most 256 batches count. What a
                          channel does differently on this chip is taken back
                          in its scale and bias
  --device=D              ideal   the integer network without ADC
                          exact   with the target's ADC (default)
                          analog  with the target's noise and variation
                          FILE.so a device driver (cim-c/hal.h)
  --seed=S                seed of all randomness (default 0)
  --trials=T              run T chips, each with its own variation and noise,
                          and print mean, deviation and the 95 % confidence
                          interval of the mean
  --yield=P               with --trials and --labels: print the share of chips
                          whose top-1 is at least P percent
  --age=T                 time since the arrays were programmed, such as 90s,
                          1h, 1d or 1y (default: the target's). Devices drift
  --labels=L.npy          class of every sample; prints top-1 of the first
                          output
  --threads=N             threads (default: one per processor); results do not
                          depend on it
  --json                  print one JSON object: device, samples, top1
                          (percent), images_per_s, seed, threads; with --trials
                          also top1_mean, top1_std, top1_mean_ci, trials; with
                          --yield yield (percent), yield_bound, yield_ci
  --help, --version

EXAMPLES:
  # accuracy with the 6-bit ADC of the target
  cim-run net.so --input test.npy --labels labels.npy

  # ten chips with noise; mean and deviation as JSON
  cim-run net.so --input test.npy --labels labels.npy --device=analog \
      --trials=10 --seed=1 --json

  # how many of fifty chips still reach 84 % after a year
  cim-run net.so --input test.npy --labels labels.npy --device=analog \
      --trials=50 --yield=84 --age=1y

  # the same chips, each one calibrated with samples of its own
  cim-run net.so --input test.npy --labels labels.npy --device=analog \
      --trials=10 --calibrate=samples.npy

  # outputs of a network with two inputs, on a driver of your own
  cim-run net.so --input a=a.npy --input b=b.npy --output y.npy \
      --device=./libmychip.so

EXIT CODES: 0 done; 1 a file is not what it should be, or the device failed;
2 wrong usage.

ENVIRONMENT: CIM_ISA=portable|avx2|avxvnni|avx512 restricts the simulator's kernels.
)";

namespace {
/// Walks over argv; an option's value is after '=' or the next argument.
class Arguments {
public:
  Arguments(int argc, char **argv) : argc(argc), argv(argv) {}

  bool next() {
    if (++at >= argc)
      return false;
    word = argv[at];
    value.reset();
    size_t equals = word.find('=');
    if (word.rfind("--", 0) == 0 && equals != word.npos) {
      value = word.substr(equals + 1);
      word.resize(equals);
    }
    return true;
  }

  bool takeValue(std::string &to, std::string &error) {
    if (!value && at + 1 < argc)
      value = argv[++at];
    if (!value || value->empty()) {
      error = word + " needs a value";
      return false;
    }
    to = *value;
    return true;
  }

  std::string word;
  std::optional<std::string> value;

private:
  int argc;
  char **argv;
  int at = 0;
};
} // namespace

static NamedFile parseNamed(const std::string &text) {
  size_t equals = text.find('=');
  if (equals == text.npos || equals == 0)
    return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

template <typename T>
static bool parseNumber(const std::string &option, const std::string &text,
                        uint64_t least, uint64_t most, T &to,
                        std::string &error) {
  char *end = nullptr;
  errno = 0;
  unsigned long long value = strtoull(text.c_str(), &end, 10);
  bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0';
  if (!digits || errno || value < least || value > most) {
    error = option + "=" + text + ": expected an integer " +
            std::to_string(least) + " .. " + std::to_string(most);
    return false;
  }
  to = T(value);
  return true;
}

static bool parsePercent(const std::string &text, std::optional<double> &to,
                         std::string &error) {
  char *end = nullptr;
  double value = strtod(text.c_str(), &end);
  if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= 100) {
    to = value;
    return true;
  }
  error = "--yield=" + text + ": expected a percentage 0 .. 100";
  return false;
}

/// A time such as 1.5h, in seconds.
static bool parseAge(const std::string &text, double &to, std::string &error) {
  struct {
    const char *name;
    double seconds;
  } const units[] = {{"s", 1}, {"h", 3600}, {"d", 86400}, {"y", 31536000}};
  char *end = nullptr;
  double value = strtod(text.c_str(), &end);
  bool number = text[0] >= '0' && text[0] <= '9';
  for (const auto &unit : units)
    if (number && strcmp(end, unit.name) == 0 && value > 0 && value <= 1e6) {
      to = value * unit.seconds;
      return true;
    }
  error = "--age=" + text + ": expected a time above 0 such as 90s, 1h, 1d, 1y";
  return false;
}

/// Handles the option that `args` stands on; false with `error` on failure.
static bool parseOption(Arguments &args, Options &options, std::string &error) {
  const std::string &word = args.word;
  bool *flag = word == "--json"      ? &options.json
               : word == "--help"    ? &options.help
               : word == "-h"        ? &options.help
               : word == "--version" ? &options.version
                                     : nullptr;
  if (flag) {
    if (args.value)
      error = word + " takes no value";
    *flag = true;
    return error.empty();
  }
  std::string text;
  if (word == "--input" || word == "--output" || word == "--calibrate") {
    if (!args.takeValue(text, error))
      return false;
    auto &files = word == "--input"    ? options.inputs
                  : word == "--output" ? options.outputs
                                       : options.calibration;
    files.push_back(parseNamed(text));
    if (files.back().path.empty())
      error = word + " " + text + ": expected a file after '='";
    return error.empty();
  }
  if (word == "--device")
    return args.takeValue(options.device, error);
  if (word == "--labels")
    return args.takeValue(options.labels, error);
  if (word == "--age")
    return args.takeValue(text, error) && parseAge(text, options.age, error);
  if (word == "--yield")
    return args.takeValue(text, error) &&
           parsePercent(text, options.yield, error);
  if (word == "--seed")
    return args.takeValue(text, error) &&
           parseNumber(word, text, 0, UINT64_MAX, options.seed, error);
  if (word == "--trials")
    return args.takeValue(text, error) &&
           parseNumber(word, text, 1, 1000000, options.trials, error);
  if (word == "--threads")
    return args.takeValue(text, error) &&
           parseNumber(word, text, 1, 1024, options.threads, error);
  error = "unknown option '" + word + "'";
  return false;
}

std::optional<Options> cim::run::parseOptions(int argc, char **argv,
                                              std::string &error) {
  Options options;
  Arguments args(argc, argv);
  while (args.next()) {
    if (args.word.size() > 1 && args.word[0] == '-') {
      if (!parseOption(args, options, error))
        return std::nullopt;
    } else if (options.model.empty()) {
      options.model = args.word;
    } else {
      error = "more than one network: '" + options.model + "' and '" +
              args.word + "'";
      return std::nullopt;
    }
  }
  if (options.help || options.version)
    return options;
  if (options.model.empty())
    error = "no network given";
  else if (options.inputs.empty())
    error = "no --input given";
  else if (options.yield && (!options.trials || options.labels.empty()))
    error = "--yield needs --trials and --labels";
  if (!error.empty() || !checkDevice(options.device, error) ||
      !checkOutputs(options, error))
    return std::nullopt;
  return options;
}
