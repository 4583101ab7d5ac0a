// Reads /proc/self/cgroup and the files under /sys/fs/cgroup. Elsewhere than on Linux there is nothing to
// read, and every answer is "unlimited".
#include "base/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ranvier {
namespace {

// The numbers a file begins with; none when it cannot be read or begins with "max" (unlimited).
std::vector<double> read_numbers(const std::string& path) {
  std::vector<double> numbers;
  std::ifstream file(path);
  for (double number; file >> number;) numbers.push_back(number);
  return numbers;
}

// The value of `key` in a file of "key value" lines; 0 when it is not there.
double read_field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  for (double value; file >> name >> value;) {
    if (name == key) return value;
  }
  return 0;
}

bool lists(const std::string& controllers, const std::string& controller) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == controller) return true;
  }
  return false;
}

void add_ancestors(const std::string& mount, std::string path, std::vector<std::string>* directories) {
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    directories->push_back(mount + path);
    if (path.empty()) return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

void keep_smaller(std::optional<double>* least, double value) {
  if (!*least || value < **least) *least = value;
}

}  // namespace

std::vector<std::string> cgroup_directories(const std::string& controller) {
  std::vector<std::string> directories;
  std::ifstream groups("/proc/self/cgroup");
  // A line is "id:controllers:path"; version 2's has no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      add_ancestors("/sys/fs/cgroup", path, &directories);
    } else if (lists(controllers, controller)) {
      add_ancestors("/sys/fs/cgroup/" + controllers, path, &directories);
      if (controllers != controller) add_ancestors("/sys/fs/cgroup/" + controller, path, &directories);
    }
  }
  return directories;
}

std::optional<double> cgroup_cpu_quota() {
  std::optional<double> least;
  for (const std::string& directory : cgroup_directories("cpu")) {
    std::vector<double> quota = read_numbers(directory + "/cpu.max");  // version 2: "quota period" or "max period"
    if (quota.size() != 2) {
      quota = read_numbers(directory + "/cpu.cfs_quota_us");  // version 1: -1 is unlimited
      const std::vector<double> period = read_numbers(directory + "/cpu.cfs_period_us");
      quota.insert(quota.end(), period.begin(), period.end());
    }
    if (quota.size() == 2 && quota[0] > 0 && quota[1] > 0) keep_smaller(&least, quota[0] / quota[1]);
  }
  return least;
}

std::optional<double> cgroup_memory_left() {
  std::optional<double> least;
  for (const std::string& directory : cgroup_directories("memory")) {
    std::vector<double> limit = read_numbers(directory + "/memory.max");
    std::vector<double> used = read_numbers(directory + "/memory.current");
    double cache = read_field(directory + "/memory.stat", "inactive_file");
    if (limit.empty()) {
      limit = read_numbers(directory + "/memory.limit_in_bytes");
      used = read_numbers(directory + "/memory.usage_in_bytes");
      cache = read_field(directory + "/memory.stat", "total_inactive_file");
    }
    if (limit.empty() || used.empty()) continue;
    keep_smaller(&least, std::max(0.0, limit[0] - used[0] + cache));
  }
  return least;
}

}  // namespace ranvier
