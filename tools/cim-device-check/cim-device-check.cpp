// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-device-check: does a device keep to include/cim-c/hal.h? Every check runs
// in a process of its own, so that a device which crashes or hangs fails one
// check and no other.

#include "Probe.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

using namespace cim::check;

static const char helpText[] =
    R"(OVERVIEW: checks that a device keeps to the device interface (cim-c/hal.h)

USAGE: cim-device-check DEVICE.so [options]

DEVICE.so is a driver for cim-run --device=DEVICE.so. One line per check is
printed, 'ok', 'FAIL' or 'skip' (the device has nothing to check there), each
with a reason. libcim-runtime.so is the built-in simulator.

OPTIONS:
  --check=NAME        runs this check only, or those of a group; may be repeated
  --against=OTHER.so  also runs random layers on both devices and compares the
                      bits, in every mode and with every effect that both have
  --layers=N          how many random layers (default 200)
  --seed=S            which random layers (default 1)
  --time-limit=S      seconds after which a check fails (default 300)
  --list              prints the names of the checks
  --help, --version

EXAMPLES:
  cim-device-check ./libmychip.so
  cim-device-check ./libmychip.so --check=ranges --check=streams/threads
  cim-device-check ./libmychip.so --against=./libcim-runtime.so --layers=1000

EXIT CODES: 0 no check failed; 1 one did, or the file is no driver; 2 wrong
usage.
)";

namespace {
struct Options {
  std::string driver;
  std::vector<std::string> only;
  Settings settings;
  unsigned timeLimit = 300; // seconds; a check that takes longer hangs
  bool list = false;
};

struct Outcome {
  Verdict verdict;
  std::string text;
};
} // namespace

[[noreturn]] static void wrongUsage(const std::string &error) {
  fprintf(stderr, "cim-device-check: error: %s; see cim-device-check --help\n",
          error.c_str());
  exit(2);
}

static unsigned parseNumber(const std::string &option,
                            const std::string &text) {
  if (text.empty() || text.size() > 7 ||
      text.find_first_not_of("0123456789") != text.npos)
    wrongUsage(option + "=" + text + ": expected an integer 0 .. 9999999");
  return unsigned(atoi(text.c_str()));
}

static Options parseOptions(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help" || word == "-h" || word == "--version") {
      fputs(word == "--version" ? "cim-device-check " CIM_VERSION "\n"
                                : helpText,
            stdout);
      exit(0);
    }
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    if (word == "--list")
      options.list = true;
    else if (name == "--check" && !value.empty())
      options.only.push_back(value);
    else if (name == "--against" && !value.empty())
      options.settings.against = value;
    else if (name == "--layers")
      options.settings.layers = parseNumber(name, value);
    else if (name == "--time-limit")
      options.timeLimit = parseNumber(name, value);
    else if (name == "--seed")
      options.settings.seed = parseNumber(name, value);
    else if (word[0] == '-')
      wrongUsage("unknown option '" + word + "', or without a value");
    else if (!options.driver.empty())
      wrongUsage("more than one device: '" + options.driver + "' and '" + word +
                 "'");
    else
      options.driver = word;
  }
  if (options.driver.empty() && !options.list)
    wrongUsage("no device given");
  return options;
}

static Checks chosenChecks(const Options &options) {
  Checks all;
  for (const Checks *group :
       {&lifecycleChecks(), &argumentChecks(), &rangeChecks(), &streamChecks(),
        &numberChecks(), &agreementChecks()})
    if (group != &agreementChecks() || !options.settings.against.empty() ||
        options.list)
      all.insert(all.end(), group->begin(), group->end());
  if (options.only.empty())
    return all;
  auto matches = [](const Check &check, const std::string &name) {
    return name == check.name ||
           strncmp(check.name, (name + "/").c_str(), name.size() + 1) == 0;
  };
  for (const std::string &name : options.only)
    if (std::none_of(all.begin(), all.end(),
                     [&](const Check &c) { return matches(c, name); }))
      wrongUsage("no check '" + name + "', see --list");
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Check &check) {
                             return std::none_of(options.only.begin(),
                                                 options.only.end(),
                                                 [&](const std::string &name) {
                                                   return matches(check, name);
                                                 });
                           }),
            all.end());
  return all;
}

/// Runs a check in this process and writes verdict and text to `pipe`.
[[noreturn]] static void runInChild(const Check &check, const Options &options,
                                    int pipe) {
  alarm(options.timeLimit);
  Driver driver;
  std::string error = loadDriver(options.driver, driver);
  if (!error.empty())
    _exit(3); // it could be loaded a moment ago
  Probe probe(driver, options.settings);
  check.run(probe);
  std::string report = std::to_string(int(probe.verdict)) + probe.text;
  bool written =
      write(pipe, report.data(), report.size()) == ssize_t(report.size());
  _exit(written ? 0 : 3);
}

static std::string readAll(int pipe) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(pipe, buffer, sizeof buffer)) > 0;)
    text.append(buffer, size_t(got));
  return text;
}

static Outcome run(const Check &check, const Options &options) {
  int ends[2];
  fflush(stdout);
  if (pipe(ends) != 0)
    return {Verdict::Failed, "cannot make a pipe"};
  pid_t child = fork();
  if (child < 0)
    return {Verdict::Failed, "cannot make a process"};
  if (child == 0) {
    close(ends[0]);
    runInChild(check, options, ends[1]);
  }
  close(ends[1]);
  std::string report = readAll(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return {Verdict::Failed, "did not end within " +
                                 std::to_string(options.timeLimit) +
                                 " seconds"};
  if (WIFSIGNALED(status))
    return {Verdict::Failed,
            std::string("crashed: ") + strsignal(WTERMSIG(status))};
  if (WEXITSTATUS(status) != 0 || report.empty())
    return {Verdict::Failed, "the device ended the process, exit code " +
                                 std::to_string(WEXITSTATUS(status))};
  return {Verdict(report[0] - '0'), report.substr(1)};
}

/// In a child as well: what a broken driver does when it is loaded must not
/// reach this process.
static std::string loadError(const Options &options) {
  int ends[2];
  if (pipe(ends) != 0)
    return "cannot make a pipe";
  pid_t child = fork();
  if (child == 0) {
    Driver driver;
    std::string error = loadDriver(options.driver, driver);
    bool written =
        write(ends[1], error.data(), error.size()) == ssize_t(error.size());
    _exit(written ? 0 : 3);
  }
  close(ends[1]);
  std::string error = readAll(ends[0]);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
    return options.driver + ": cannot be loaded";
  return error;
}

int main(int argc, char **argv) {
  Options options = parseOptions(argc, argv);
  Checks checks = chosenChecks(options);
  if (options.list) {
    for (const Check &check : checks)
      puts(check.name);
    return 0;
  }
  std::string error = loadError(options);
  if (!error.empty()) {
    fprintf(stderr, "cim-device-check: error: %s\n", error.c_str());
    return 1;
  }
  int failed = 0, skipped = 0;
  for (const Check &check : checks) {
    Outcome outcome = run(check, options);
    failed += outcome.verdict == Verdict::Failed;
    skipped += outcome.verdict == Verdict::Skipped;
    const char *word = outcome.verdict == Verdict::Ok       ? "ok  "
                       : outcome.verdict == Verdict::Failed ? "FAIL"
                                                            : "skip";
    printf("%s  %s%s%s\n", word, check.name, outcome.text.empty() ? "" : ": ",
           outcome.text.c_str());
  }
  printf("%zu checks, %d failed, %d skipped\n", checks.size(), failed, skipped);
  return failed ? 1 : 0;
}
