// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-run from the outside: results, reports, exit codes, diagnostics.

#include "Npy/Npy.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace cim;
using Json = nlohmann::json;

namespace {
struct Result {
  int code;
  std::string text; // both streams
};

class RunTool : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "/cim-run-" + std::to_string(getpid());
    mkdir(folder.c_str(), 0777);
    std::vector<int8_t> samples(count * 48);
    for (size_t i = 0; i < samples.size(); ++i)
      samples[i] = int8_t(int(i * 37 % 127) - 63);
    save("x.npy", npy::Type::I8, {count, 4, 4, 3}, samples.data());
    std::vector<int64_t> labels(count, 4);
    save("l.npy", npy::Type::I64, {count}, labels.data());
  }
  void TearDown() override {
    std::string command = "rm -r '" + folder + "'";
    EXPECT_EQ(system(command.c_str()), 0);
  }

  void save(const std::string &name, npy::Type type,
            const std::vector<int64_t> &shape, const void *data) {
    std::string error;
    ASSERT_TRUE(npy::write(folder + "/" + name, type, shape, data, error))
        << error;
  }

  /// Runs cim-run in the folder; NET stands for the test network, HOSTNET for
  /// the one without layers.
  Result run(std::string arguments) {
    if (size_t at = arguments.find("HOSTNET"); at != arguments.npos)
      arguments.replace(at, 7, TEST_MODEL_HOST_ONLY);
    else if (size_t at = arguments.find("NET"); at != arguments.npos)
      arguments.replace(at, 3, TEST_MODEL);
    std::string command =
        "cd '" + folder + "' && " CIM_RUN " " + arguments + " 2>&1";
    FILE *pipe = popen(command.c_str(), "r");
    Result result = {-1, ""};
    char buffer[4096];
    while (size_t got = fread(buffer, 1, sizeof buffer, pipe))
      result.text.append(buffer, got);
    int status = pclose(pipe);
    if (WIFEXITED(status))
      result.code = WEXITSTATUS(status);
    return result;
  }

  void expectError(int code, const std::string &arguments,
                   const std::string &text) {
    Result result = run(arguments);
    EXPECT_EQ(result.code, code) << arguments;
    EXPECT_NE(result.text.find("cim-run: error: "), std::string::npos);
    EXPECT_NE(result.text.find(text), std::string::npos)
        << "expected: " << text << "\nfound:    " << result.text;
    // One diagnostic, one line.
    EXPECT_EQ(std::count(result.text.begin(), result.text.end(), '\n'), 1);
  }

  static constexpr int64_t count = 5;
  std::string folder;
};
} // namespace

TEST_F(RunTool, WritesOutputsAndReports) {
  Result result = run("NET --input x.npy --output=y=y.npy --labels l.npy");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("samples   5"), std::string::npos);
  EXPECT_NE(result.text.find("top-1"), std::string::npos);
  std::string error;
  auto output = npy::read(folder + "/y.npy", error);
  ASSERT_TRUE(output) << error;
  EXPECT_EQ(npy::shapeText(output->shape), "(5, 4, 4, 5)");
  EXPECT_EQ(output->type, npy::Type::F32);
}

TEST_F(RunTool, JsonReport) {
  Result result =
      run("NET --input x.npy --labels l.npy --json --seed=3 --threads 2");
  ASSERT_EQ(result.code, 0) << result.text;
  Json json = Json::parse(result.text);
  EXPECT_EQ(json["device"], "exact");
  EXPECT_EQ(json["samples"], 5);
  EXPECT_EQ(json["seed"], 3);
  EXPECT_EQ(json["threads"], 2);
  EXPECT_GT(json["images_per_s"], 0);
  EXPECT_GE(json["top1"], 0);
  EXPECT_FALSE(json.contains("trials"));
}

TEST_F(RunTool, TrialsAreChips) {
  Result result = run("NET --input x.npy --labels l.npy --device=analog "
                      "--trials=3 --json --output y.npy");
  ASSERT_EQ(result.code, 0) << result.text;
  Json json = Json::parse(result.text);
  ASSERT_EQ(json["trials"].size(), 3u);
  double sum = 0, squares = 0;
  for (const Json &trial : json["trials"]) {
    sum += trial["top1"].get<double>();
    squares += std::pow(trial["top1"].get<double>(), 2);
  }
  EXPECT_NEAR(json["top1_mean"], sum / 3, 1e-6);
  EXPECT_NEAR(json["top1_std"], std::sqrt((squares - sum * sum / 3) / 2), 1e-6);
  // Student's t of two degrees of freedom.
  double half = 4.3027 * json["top1_std"].get<double>() / std::sqrt(3);
  EXPECT_NEAR(json["top1_mean_ci"][0], sum / 3 - half, 1e-3);
  EXPECT_NEAR(json["top1_mean_ci"][1], sum / 3 + half, 1e-3);
  EXPECT_FALSE(json.contains("yield"));
  std::string error;
  auto output = npy::read(folder + "/y.npy", error);
  ASSERT_TRUE(output) << error;
  EXPECT_EQ(npy::shapeText(output->shape), "(3, 5, 4, 4, 5)");
  // Trial t is the same chip in every run.
  run("NET --input x.npy --device=analog --trials=2 --output z.npy");
  auto shorter = npy::read(folder + "/z.npy", error);
  ASSERT_TRUE(shorter) << error;
  EXPECT_TRUE(std::equal(shorter->bytes.begin(), shorter->bytes.end(),
                         output->bytes.begin()));
}

TEST_F(RunTool, YieldIsAShareOfChips) {
  std::string chips = "NET --input x.npy --labels l.npy --device=analog "
                      "--trials=4 --yield=";
  Json all = Json::parse(run(chips + "0 --json").text);
  EXPECT_EQ(all["yield"], 100);
  EXPECT_EQ(all["yield_bound"], 0);
  EXPECT_EQ(all["yield_ci"][1], 100);
  // Wilson: 4 of 4 are compatible with n / (n + z^2).
  EXPECT_NEAR(all["yield_ci"][0], 100 * 4 / (4 + 3.8415), 0.01);
  double best = 0;
  for (const Json &trial : all["trials"])
    best = std::max(best, trial["top1"].get<double>());
  std::string bound = std::to_string(best);
  int reach = 0;
  for (const Json &trial : all["trials"])
    reach += trial["top1"].get<double>() >= std::stod(bound);
  EXPECT_EQ(Json::parse(run(chips + bound + " --json").text)["yield"],
            25 * reach);
  EXPECT_NE(run(chips + "0").text.find("yield     100.0 % of chips reach"),
            std::string::npos);
  expectError(2, chips + "101", "--yield=101: expected a percentage 0 .. 100");
  expectError(2, "NET --input x.npy --yield=5",
              "--yield needs --trials and --labels");
}

TEST_F(RunTool, HelpTeaches) {
  for (const char *option :
       {"--input", "--output", "--device", "--seed", "--trials", "--age",
        "--labels", "--threads", "--json", "--calibrate", "--version",
        "EXAMPLES", "EXIT CODES"})
    EXPECT_NE(run("--help").text.find(option), std::string::npos) << option;
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("--version").text.substr(0, 8), "cim-run ");
}

TEST_F(RunTool, WrongUsage) {
  expectError(2, "", "no network given");
  expectError(2, "NET", "no --input given");
  expectError(2, "NET --input", "--input needs a value");
  expectError(2, "NET --input=", "--input needs a value");
  expectError(2, "NET --inputs=x.npy", "unknown option '--inputs'");
  expectError(2, "NET other.so --input x.npy", "more than one network");
  expectError(2, "NET --input x.npy --json=1", "--json takes no value");
  expectError(2, "NET --input x.npy --seed=-1",
              "--seed=-1: expected an integer");
  expectError(2, "NET --input x.npy --trials=0",
              "--trials=0: expected an integer 1 .. 1000000");
  for (const char *age : {"1", "1m", "-1d", "0s", "nans", "1e300y"})
    expectError(2, std::string("NET --input x.npy --age=") + age,
                std::string("--age=") + age +
                    ": expected a time above 0 such as 90s, 1h, 1d, 1y");
  expectError(2, "NET --input x.npy --threads=2x", "--threads=2x: expected");
  expectError(2, "NET --input x.npy --device=other", "unknown device 'other'");
  expectError(2, "NET --input x.npy --calibrate=", "--calibrate needs a value");
  expectError(2, "NET --input x.npy --calibrate c.npy --output c.npy",
              "output 'c.npy' would overwrite the calibration 'c.npy'");
}

TEST_F(RunTool, WrongFiles) {
  expectError(1, "nothing.so --input x.npy", "nothing.so: cannot open");
  expectError(1, "x.npy --input x.npy", "x.npy: not a compiled network");
  expectError(1, "NET --input nothing.npy", "nothing.npy: cannot open");
  expectError(1, "NET --input l.npy",
              "l.npy: input 'x' has shape (5,), expected (samples, 4, 4, 3)");
  expectError(
      1, "NET --input x.npy --calibrate l.npy",
      "--calibrate: l.npy: input 'x' has shape (5,), expected (samples");
  expectError(1, "NET --input z=x.npy",
              "the network has no input 'z'; it has x");
  expectError(1, "NET --input x.npy --input x=x.npy",
              "input 'x' is given twice");
  expectError(1, "NET --input x.npy --output z=y.npy",
              "the network has no output 'z'; it has y");
  expectError(1, "NET --input x.npy --labels x.npy",
              "expected shape (5,), a class for each sample, but got "
              "(5, 4, 4, 3)");
}

TEST_F(RunTool, WrongValues) {
  std::vector<float> floats(48, 1.0f);
  save("f.npy", npy::Type::F32, {1, 4, 4, 3}, floats.data());
  expectError(1, "NET --input f.npy",
              "input 'x' has element type float32, expected int8");
  floats[17] = NAN;
  save("n.npy", npy::Type::F32, {1, 4, 4, 3}, floats.data());
  expectError(1, "NET --input n.npy",
              "input 'x' is not finite at (0, 1, 1, 2)");
  save("e.npy", npy::Type::I8, {0, 4, 4, 3}, nullptr);
  expectError(1, "NET --input e.npy", "input 'x' has no samples");
  std::vector<int64_t> labels(count, 80);
  save("big.npy", npy::Type::I64, {count}, labels.data());
  expectError(
      1, "NET --input x.npy --labels big.npy",
      "--labels: big.npy: expected classes from 0 to 79, but got 80 at 0");
  save("fl.npy", npy::Type::F32, {count}, floats.data());
  expectError(1, "NET --input x.npy --labels fl.npy",
              "--labels: fl.npy: expected integers, but got float32");
}

// A '/' before '=' belongs to a name if the network has it, else to a path.
TEST_F(RunTool, NamesWithSlashes) {
  EXPECT_EQ(mkdir((folder + "/run=3").c_str(), 0777), 0);
  rename((folder + "/x.npy").c_str(), (folder + "/run=3/x.npy").c_str());
  Result result = run("NET --input ./run=3/x.npy --output y=./run=3/y.npy");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_EQ(access((folder + "/run=3/y.npy").c_str(), F_OK), 0);
  expectError(2, "NET --input ./run=3/x.npy --output ./run=3/x.npy",
              "would overwrite the input");
  expectError(1, "NET --input a/b=run=3/x.npy", "a/b=run=3/x.npy: cannot open");
}

// Without converters, floats are floats.
TEST_F(RunTool, NonFiniteOnTheHost) {
  std::vector<float> floats(12, 1.0f);
  floats[4] = INFINITY;
  floats[11] = NAN;
  save("n.npy", npy::Type::F32, {2, 2, 3}, floats.data());
  Result result = run("HOSTNET --input n.npy --output y.npy");
  EXPECT_EQ(result.code, 0) << result.text;
  std::string error;
  auto output = npy::read(folder + "/y.npy", error);
  ASSERT_TRUE(output) << error;
  EXPECT_EQ(output->data<float>()[0], 3);
  EXPECT_EQ(output->data<float>()[1], INFINITY);
  EXPECT_TRUE(std::isnan(output->data<float>()[3]));
}

TEST_F(RunTool, LeavesNothingBehind) {
  expectError(1, "NET --input x.npy --output /dev/full",
              "/dev/full: cannot write: No space left on device");
  expectError(1, "NET --input x.npy --output no/such/y.npy",
              "no/such/y.npy: cannot write: No such file or directory");
  expectError(1,
              std::string("NET --input x.npy --output y.npy --device=") +
                  TEST_DRIVER_FAIL,
              "the chip is too hot");
  EXPECT_NE(access((folder + "/y.npy").c_str(), F_OK), 0);
}
