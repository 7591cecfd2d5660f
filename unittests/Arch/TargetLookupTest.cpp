// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, paths and the search path.

#include "Example.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace cim;

namespace {

/// A temporary folder, named in CIM_TARGET_PATH while it lives.
class Folder {
public:
  Folder() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("cim-targets", path));
    setenv("CIM_TARGET_PATH", path.c_str(), 1);
  }
  ~Folder() {
    unsetenv("CIM_TARGET_PATH");
    llvm::sys::fs::remove_directories(path);
  }
  std::string write(llvm::StringRef name, llvm::StringRef text) {
    llvm::SmallString<128> file(path);
    llvm::sys::path::append(file, name);
    std::error_code ec;
    llvm::raw_fd_ostream(file, ec) << text;
    EXPECT_FALSE(ec) << ec.message();
    return file.str().str();
  }

private:
  llvm::SmallString<128> path;
};

} // namespace

static std::string loadError(llvm::StringRef target) {
  auto arch = Arch::load(target);
  if (!arch)
    return llvm::toString(arch.takeError());
  return "";
}

TEST(TargetLookup, EveryShippedTargetIsValid) {
  std::vector<std::string> names = Arch::knownTargets();
  for (llvm::StringRef name : {"diana", "host", "imec-ania", "imec-blueprint"})
    EXPECT_TRUE(llvm::is_contained(names, name)) << name.str();
  for (const std::string &name : names) {
    auto arch = Arch::load(name);
    ASSERT_TRUE(bool(arch)) << llvm::toString(arch.takeError());
    EXPECT_EQ(arch->name(), name);
  }
}

TEST(TargetLookup, UnknownNameSuggestsTheNearest) {
  EXPECT_EQ(loadError("imec-aina"),
            "unknown target 'imec-aina': expected one of diana, host, "
            "imec-ania, imec-blueprint or a path to a .yaml file; did you "
            "mean 'imec-ania'?");
  EXPECT_EQ(loadError("Diana").substr(0, 23), "unknown target 'Diana':");
  EXPECT_NE(loadError("Diana").find("did you mean 'diana'?"),
            std::string::npos);
  EXPECT_EQ(loadError("zzz").find("did you mean"), std::string::npos);
  EXPECT_EQ(loadError("").find("did you mean"), std::string::npos);
  EXPECT_EQ(loadError("../targets/host").find("unknown target"), 0u);
}

TEST(TargetLookup, EnvironmentComesFirst) {
  Folder folder;
  folder.write("diana.yaml", kExample);
  folder.write("mine.yaml", kExample);
  auto arch = Arch::load("diana");
  ASSERT_TRUE(bool(arch));
  EXPECT_EQ(arch->name(), "tiny");
  EXPECT_TRUE(llvm::is_contained(Arch::knownTargets(), "mine"));
  EXPECT_NE(loadError("mime").find("did you mean 'mine'?"), std::string::npos);
}

TEST(TargetLookup, PathsAreReadDirectly) {
  Folder folder;
  std::string file = folder.write("x.yaml", kExample);
  auto arch = Arch::load(file);
  ASSERT_TRUE(bool(arch));
  EXPECT_EQ(arch->arrayRows(), 64);
}

TEST(TargetLookup, UnreadableFiles) {
  Folder folder;
  EXPECT_EQ(loadError("/nowhere/x.yaml"),
            "cannot read target '/nowhere/x.yaml': No such file or directory");
  std::string file = folder.write("x.yaml", kExample);
  llvm::SmallString<128> inner(llvm::sys::path::parent_path(file));
  llvm::sys::path::append(inner, "d.yaml");
  ASSERT_FALSE(llvm::sys::fs::create_directory(inner));
  EXPECT_EQ(loadError(inner), "cannot read target '" + inner.str().str() +
                                  "': not a regular file");
}

TEST(TargetLookup, ErrorsNameTheFile) {
  Folder folder;
  std::string file =
      folder.write("x.yaml", edited(kExample, "rows: 64", "rows: -1"));
  EXPECT_EQ(loadError(file), file + ":5:9: error: expected a whole number from "
                                    "1 to 1048576 for 'rows', found '-1'\n"
                                    "  rows: -1\n"
                                    "        ^");
}
