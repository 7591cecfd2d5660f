# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# lit: how test files are found and what their RUN lines may use.
import os

import lit.formats
import lit.llvm

lit.llvm.initialize(lit_config, config)
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "cim"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Integration", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test")

config.environment["FILECHECK_OPTS"] = "-enable-var-scope --allow-unused-prefixes=false"
for name in ["CIM_DATA_DIR", "CIM_ISA"]:
    if os.environ.get(name):
        config.environment[name] = os.environ[name]
if os.environ.get("CIM_DATA_DIR"):
    config.available_features.add("data")
if config.sanitizers:
    config.available_features.add("sanitizers")
    # libMLIR's leaks are not ours to fix, and lld, which is not instrumented,
    # shares LLVM's allocators with code of ours that poisons what they hold.
    config.environment["ASAN_OPTIONS"] = "detect_leaks=0:allow_user_poisoning=0"

python = os.path.join(config.source_dir, ".venv", "bin", "python")
config.substitutions += [
    ("%python", python),
    ("%models", os.path.join(config.source_dir, "models")),
    ("%inputs", os.path.join(config.test_source_root, "Inputs")),
    ("%source", config.source_dir),
]
tools = [
    ToolSubst(tool, unresolved="fatal")
    for tool in ["cim-opt", "cim-translate", "cim-compile", "cim-run"]
]
tools += [ToolSubst(t, unresolved="fatal") for t in ["FileCheck", "not", "split-file"]]
llvm_config.add_tool_substitutions(
    tools, [os.path.join(config.build_dir, "bin"), config.llvm_tools_dir]
)
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
