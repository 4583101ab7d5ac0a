// Linux control groups, versions 1 and 2: the limits a container or a batch system puts on this process.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ranvier {

// The directories of this process's group for a controller ("cpu", "memory"), innermost first, up to the
// root of the mounted hierarchy. Empty where there are no control groups. Directories may not exist: inside a
// container the path in /proc/self/cgroup is often the host's.
std::vector<std::string> cgroup_directories(const std::string& controller);

// The processors' worth of time this process may use (1.5: a quota of 150 ms per 100 ms); nothing if unlimited.
std::optional<double> cgroup_cpu_quota();

// The bytes this process's group may still take before its limit, counting file cache, which the kernel
// drops on demand, as free; nothing if unlimited.
std::optional<double> cgroup_memory_left();

}  // namespace ranvier
