// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Imports damaged models, many and always the same ones: no crash, no hang, no
// leak, bounded memory, and an error whenever nothing is imported.
//
//   cim-fuzz-import [--runs=N] [--seed=S] [--first=I] [--keep] MODEL.onnx...
//
// A run that fails leaves its model in fuzz-import-<seed>-<run>.onnx; with
// --keep every model that is imported stays there.
#include "ModelMutator.h"
#include "cim/Frontend/ONNX/ImportOnnx.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <unistd.h>

using namespace mlir;
namespace cl = llvm::cl;

static cl::list<std::string> models(cl::Positional, cl::OneOrMore,
                                    cl::desc("MODEL.onnx..."));
static cl::opt<uint64_t> runs("runs", cl::init(1000), cl::desc("Executions"));
static cl::opt<uint64_t> seed("seed", cl::init(1), cl::desc("Seed"));
static cl::opt<uint64_t> first("first", cl::init(0),
                               cl::desc("Number of the first execution"));
static cl::opt<bool> keep("keep",
                          cl::desc("Keep the models that are imported"));

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CIM_SANITIZED 1
#endif
#endif
#ifdef CIM_SANITIZED
#include <sanitizer/common_interface_defs.h>
constexpr bool kMeasuresMemory = false; // quarantine and shadow
#else
constexpr bool kMeasuresMemory = true;
#endif

/// Issue 3: memory of one import beyond the file itself.
constexpr long kMemoryKiB = 64 * 1024, kMemoryPerByte = 10;
constexpr long kSecondsPerRun = 20;
/// A context keeps what it has interned, so it is replaced from time to time.
constexpr uint64_t kRunsPerContext = 200;

static int modelFile = -1;
static char crashName[64];

/// Only calls that a signal handler may make.
static void saveModel() {
  int out = open(crashName, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  off_t offset = 0;
  while (out >= 0 && sendfile(out, modelFile, &offset, 1 << 20) > 0)
    ;
  close(out);
}

/// Keeps the model of a run that failed.
static void keepModel() {
  saveModel();
  (void)!write(2, "\nfailed: ", 9);
  (void)!write(2, crashName, strlen(crashName));
  (void)!write(2, "\n", 1);
}

static void onSignal(int signal) {
  keepModel();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

/// A line of /proc/self/status, in KiB.
static long readStatus(const char *key) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(fopen("/proc/self/status", "r"),
                                              fclose);
  char line[256];
  while (file && fgets(line, sizeof line, file.get()))
    if (strncmp(line, key, strlen(key)) == 0)
      return atol(line + strlen(key) + 1);
  return 0;
}

static void resetPeak() {
  int file = open("/proc/self/clear_refs", O_WRONLY);
  (void)!write(file, "5", 1);
  close(file);
}

/// Of CPU time, which does not depend on what else the machine does.
static void startTimer(long seconds) {
  itimerval timer{{}, {seconds, 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

namespace {
struct Outcome {
  bool imported = false;
  unsigned errors = 0;
};
} // namespace

static Outcome import(MLIRContext &context, StringRef path) {
  Outcome outcome;
  ScopedDiagnosticHandler counter(&context, [&](Diagnostic &diagnostic) {
    outcome.errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return success();
  });
  outcome.imported = succeeded(cim::importOnnx(context, path));
  return outcome;
}

/// What is wrong with one run, or nothing. Counts what was imported all the
/// same.
static std::string run(MLIRContext &context, const std::string &bytes,
                       uint64_t &imported) {
  if (ftruncate(modelFile, 0) != 0 ||
      pwrite(modelFile, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size()))
    return "cannot write the model";
  long before = readStatus("VmRSS:");
  resetPeak();
  startTimer(kSecondsPerRun);
  Outcome outcome =
      import(context, "/proc/self/fd/" + std::to_string(modelFile));
  startTimer(0);
  imported += outcome.imported;
  if (keep && outcome.imported)
    saveModel();
  long used = readStatus("VmHWM:") - before;
  if (outcome.imported != (outcome.errors == 0))
    return "expected an error if and only if nothing is imported, but got " +
           std::to_string(outcome.errors);
  if (outcome.errors > 1)
    return "expected one error, but got " + std::to_string(outcome.errors);
  if (kMeasuresMemory &&
      used > kMemoryKiB + long(bytes.size()) * kMemoryPerByte / 1024)
    return "took " + std::to_string(used) + " KiB of memory";
  return "";
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Imports damaged ONNX models\n");
  cim::fuzz::ModelMutator mutator;
  for (const std::string &path : models) {
    auto file = llvm::MemoryBuffer::getFile(path);
    if (!file || !mutator.add((*file)->getBuffer().str())) {
      llvm::errs() << path << ": not a model of at most 128 KiB\n";
      return 2;
    }
  }
  modelFile = memfd_create("model", 0);
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPROF})
    std::signal(signal, onSignal);
#ifdef CIM_SANITIZED
  __sanitizer_set_death_callback(keepModel);
#endif

  std::unique_ptr<MLIRContext> context;
  uint64_t imported = 0;
  size_t early = 0;
  std::pair<double, uint64_t> slowest; // CPU time, execution
  for (uint64_t i = first; i < first + runs; ++i) {
    if ((i - first) % kRunsPerContext == 0) {
      context.reset();
      // After a quarter of the runs everything that is made once is there.
      if (i - first <= runs / 4)
        early = mallinfo2().uordblks;
      context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
    }
    snprintf(crashName, sizeof crashName, "fuzz-import-%llu-%llu.onnx",
             (unsigned long long)seed, (unsigned long long)i);
    std::string bytes = mutator.mutate(seed * 0x9E3779B97F4A7C15 + i);
    clock_t start = clock();
    std::string problem = run(*context, bytes, imported);
    slowest = std::max(slowest, {double(clock() - start) / CLOCKS_PER_SEC, i});
    if (!problem.empty()) {
      keepModel();
      llvm::errs() << "run " << i << ": " << problem << "\n";
      return 1;
    }
  }
  context.reset();
  // A leak is no fault of the last execution.
  snprintf(crashName, sizeof crashName, "/dev/null");
  size_t grown = mallinfo2().uordblks - early;
  llvm::outs() << runs << " executions without a fault, seed " << seed << ", "
               << imported << " of them imported; the slowest, "
               << slowest.second << ", took "
               << llvm::format("%.2f", slowest.first) << " s\n";
  for (const auto &[kind, count] : mutator.getApplied())
    llvm::outs() << llvm::formatv("{0,10} {1}\n", count, kind);
  constexpr size_t leakBytes = 1 << 20;
  if (kMeasuresMemory && runs >= 4 * kRunsPerContext && grown > leakBytes &&
      grown < SIZE_MAX / 2) {
    llvm::errs() << grown
                 << " bytes more in use than after a quarter of the "
                    "runs: something leaks\n";
    return 1;
  }
  return 0;
}
