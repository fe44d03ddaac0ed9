"""Hard tasks of the suite "cpp", first part: what is obvious takes far too long."""
import heapq
from bisect import bisect_left

from cpp_suite import Draw, ints, line, row_of, rows, task, with_count

draw = Draw(301)


@task("rising-pearls", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<int> ends;
  for (int i = 0, x; i < n; ++i) {
    cin >> x;
    auto at = lower_bound(ends.begin(), ends.end(), x);
    if (at == ends.end())
      ends.push_back(x);
    else
      *at = x;
  }
  cout << ends.size() << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, best = 0;
  cin >> n;
  vector<int> a(n), length(n, 1);
  for (int i = 0; i < n; ++i) {
    cin >> a[i];
    for (int j = 0; j < i; ++j)
      if (a[j] < a[i] && length[j] >= length[i]) length[i] = length[j] + 1;
    if (length[i] > best) best = length[i];
  }
  cout << best << "\n";
}""", [with_count(x) for x in ([3, 1, 2, 2, 5, 4], [7], [5, 4, 3], [2, 2, 2], [1, 2, 3, 4, 5], [10**9, 1, 10**9])] +
      [["1000\n", *row_of(1000, [0, 300])], ["300000\n", *row_of(300000, [1, 1, 1, 1])], ["300000\n", *row_of(300000, [0, 10**9], 2)],
       ["300000\n", *row_of(300000, [0, 40, 1, 1], 3)]], time=1)
def rising_pearls(text):
    """Take pearls out of a row so that each pearl that stays is larger than the one before it. How many can stay?

    Input: n (1 to 300000), then the sizes from 0 to 10^9.
    Output: the largest possible number."""
    ends = []
    for x in ints(text)[1:]:
        at = bisect_left(ends, x)
        ends[at:at + 1] = [x]
    return len(ends)


@task("queue-jumpers", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> a(n), b(n);
  for (auto& x : a) cin >> x;
  long long count = 0;
  for (int half = 1; half < n; half *= 2) {
    for (int from = 0; from < n; from += 2 * half) {
      int middle = min(from + half, n), end = min(from + 2 * half, n);
      for (int i = from, j = middle, k = from; k < end; ++k) {
        if (j == end || (i < middle && a[i] <= a[j])) {
          b[k] = a[i++];
        } else {
          count += middle - i;
          b[k] = a[j++];
        }
      }
    }
    swap(a, b);
  }
  cout << count << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<long long> a(n);
  long long count = 0;
  for (int i = 0; i < n; ++i) {
    cin >> a[i];
    for (int j = 0; j < i; ++j) count += a[j] > a[i];
  }
  cout << count << "\n";
}""", [with_count(x) for x in ([2, 5, 1, 5, 3], [1], [1, 1], [2, 1], [5, 4, 3, 2, 1], [-10**18, 10**18, 0])] +
      [["777\n", *row_of(777, [-20, 20])], ["400000\n", *row_of(400000, [400000, 400000, -1, -1])], ["400000\n", *row_of(400000, [-10**18, 10**18], 5)]],
      time=1)
def queue_jumpers(text):
    """In a queue everybody has a ticket with a number. For how many pairs does the person further ahead have the larger
    number?

    Input: n (1 to 400000), then the numbers from the head of the queue on, from -10^18 to 10^18.
    Output: the number of pairs."""
    a = ints(text)[1:]
    place = {x: i + 1 for i, x in enumerate(sorted(set(a)))}
    tree, count = [0] * (len(place) + 1), 0
    for seen, x in enumerate(a):
        i, below = place[x], 0
        while i:
            below, i = below + tree[i], i & (i - 1)
        count += seen - below
        i = place[x]
        while i < len(tree):
            tree[i] += 1
            i += i & -i
    return count


@task("cheap-trips", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<vector<pair<int, long long>>> roads(n + 1);
  while (m--) {
    int a, b, cost;
    cin >> a >> b >> cost;
    roads[a].push_back({b, cost});
    roads[b].push_back({a, cost});
  }
  vector<long long> least(n + 1, LLONG_MAX);
  priority_queue<pair<long long, int>, vector<pair<long long, int>>, greater<pair<long long, int>>> todo;
  least[1] = 0;
  todo.push({0, 1});
  while (!todo.empty()) {
    auto [cost, town] = todo.top();
    todo.pop();
    if (cost > least[town]) continue;
    for (auto [next, price] : roads[town])
      if (cost + price < least[next]) todo.push({least[next] = cost + price, next});
  }
  long long sum = 0, reached = 0;
  for (int i = 1; i <= n; ++i)
    if (least[i] != LLONG_MAX) sum += least[i], ++reached;
  cout << reached << " " << sum << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<vector<pair<int, long long>>> roads(n + 1);
  while (m--) {
    int a, b, cost;
    cin >> a >> b >> cost;
    roads[a].push_back({b, cost});
    roads[b].push_back({a, cost});
  }
  vector<long long> least(n + 1, LLONG_MAX);
  vector<char> done(n + 1);
  least[1] = 0;
  while (true) {
    int town = 0;
    for (int i = 1; i <= n; ++i)
      if (!done[i] && least[i] != LLONG_MAX && (town == 0 || least[i] < least[town])) town = i;
    if (town == 0) break;
    done[town] = 1;
    for (auto [next, price] : roads[town]) least[next] = min(least[next], least[town] + price);
  }
  long long sum = 0, reached = 0;
  for (int i = 1; i <= n; ++i)
    if (least[i] != LLONG_MAX) sum += least[i], ++reached;
  cout << reached << " " << sum << "\n";
}""", ["4 4\n1 2 7\n1 3 2\n3 2 3\n4 4 1\n", "1 0\n", "2 1\n1 2 0\n", "2 2\n1 2 9\n2 1 4\n", "3 1\n2 3 5\n", "3 3\n1 1 1\n1 2 1000000000\n2 3 1000000000\n",
       ["300 900\n", rows(900, [1, 300], [1, 300], [0, 100])], ["100000 99999\n", rows(99999, [1, 1, 1, 1], [2, 2, 1, 1], [10**9, 10**9])],
       ["100000 199999\n", rows(99999, [1, 1, 0, 1], [2, 2, 1, 1], [1, 10**9], seed=2), rows(100000, [1, 100000], [1, 100000], [1, 10**9], seed=3)]],
      time=1)
def cheap_trips(text):
    """Towns 1 to n are connected by roads that can be used in both directions, each for a price. For every town that can
    be reached from town 1 find the smallest price of a trip there (0 for town 1 itself).

    Input: n (1 to 100000) and the number of roads (0 to 200000), then the roads: two towns, which may be the same, and a
    price from 0 to 10^9.
    Output: how many towns can be reached, and the sum of these prices."""
    n, m, *rest = ints(text)
    roads = [[] for _ in range(n + 1)]
    for a, b, cost in zip(rest[::3], rest[1::3], rest[2::3]):
        roads[a].append((b, cost))
        roads[b].append((a, cost))
    done, heap = {}, [(0, 1)]
    while heap:
        cost, town = heapq.heappop(heap)
        if town not in done:
            done[town] = cost
            for other, price in roads[town]:
                if other not in done:
                    heapq.heappush(heap, (cost + price, other))
    return f"{len(done)} {sum(done.values())}"


@task("price-board", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  vector<int> tree(2 * n);
  long long sum = 0;
  while (q--) {
    char what;
    int a, b;
    cin >> what >> a >> b;
    if (what == 's') {
      int i = a - 1 + n;
      tree[i] = b;
      for (i /= 2; i >= 1; i /= 2) tree[i] = max(tree[2 * i], tree[2 * i + 1]);
    } else {
      if (a > b) swap(a, b);
      int most = 0;
      for (int l = a - 1 + n, r = b + n; l < r; l /= 2, r /= 2) {
        if (l % 2) most = max(most, tree[l++]);
        if (r % 2) most = max(most, tree[--r]);
      }
      sum += most;
    }
  }
  cout << sum << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  vector<int> price(n + 1);
  long long sum = 0;
  while (q--) {
    char what;
    int a, b;
    cin >> what >> a >> b;
    if (what == 's') {
      price[a] = b;
    } else {
      if (a > b) swap(a, b);
      int most = 0;
      for (int i = a; i <= b; ++i)
        if (price[i] > most) most = price[i];
      sum += most;
    }
  }
  cout << sum << "\n";
}""", ["5 6\ns 2 40\ns 4 70\nq 1 3\nq 5 2\ns 4 10\nq 1 5\n", "1 1\nq 1 1\n", "1 2\ns 1 1000000000\nq 1 1\n", "3 3\ns 3 5\nq 1 2\nq 3 3\n",
       "7 4\ns 7 1\ns 1 9\nq 2 7\nq 7 1\n", ["50 2000\n", rows(2000, ["s", "q"], [1, 50], [1, 50])],
       ["1000 5000\n", rows(5000, ["s", "q", "q"], [1, 1000], [1, 1000], seed=4)],
       ["300000 300000\n", rows(1000, "s", [1, 300000], [0, 10**9], seed=5), rows(299000, "q", [1, 20], [299980, 300000], seed=6)],
       ["262144 300000\n", rows(300000, ["s", "q"], [1, 262144], [1, 262144], seed=7)]], time=1)
def price_board(text):
    """A shop has a board with n prices, all 0 at first. Follow what happens: s i p sets price i to p; q a b asks for the
    largest price between places a and b, both included, in either order.

    Input: n and the number of lines (1 to 300000 each), then the lines; p is from 0 to 10^9.
    Output: the sum of all that was asked for."""
    n, q = map(int, text[:text.index("\n")].split())
    size = 1 << n.bit_length()
    tree, total = [0] * (2 * size), 0
    for row in text.splitlines()[1:]:
        what, a, b = row.split()
        a, b = int(a), int(b)
        if what == "s":
            i = size + a
            tree[i] = b
            while i > 1:
                i >>= 1
                tree[i] = max(tree[2 * i], tree[2 * i + 1])
            continue
        left, right, best = size + min(a, b), size + max(a, b) + 1, 0
        while left < right:
            if left & 1:
                best = max(best, tree[left])
                left += 1
            if right & 1:
                right -= 1
                best = max(best, tree[right])
            left, right = left >> 1, right >> 1
        total += best
    return total


@task("cheapest-network", 2, r"""
vector<int> parent;
int root(int i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<array<int, 3>> cables(m);
  for (auto& [cost, a, b] : cables) cin >> a >> b >> cost;
  sort(cables.begin(), cables.end());
  parent.resize(n + 1);
  iota(parent.begin(), parent.end(), 0);
  long long total = 0;
  int left = n - 1;
  for (auto [cost, a, b] : cables) {
    if (root(a) == root(b)) continue;
    parent[root(a)] = root(b);
    total += cost;
    --left;
  }
  if (left > 0)
    cout << "impossible\n";
  else
    cout << total << "\n";
}""", ("  long long total = 0;", "  int total = 0;"),
      ["4 5\n1 2 4\n2 3 1\n3 1 2\n3 4 7\n4 4 0\n", "1 0\n", "2 0\n", "2 2\n1 2 5\n2 1 3\n", "3 1\n1 2 1\n", "3 3\n1 2 -5\n2 3 -6\n1 3 -1\n",
       ["200 2000\n", rows(2000, [1, 200], [1, 200], [-50, 50])], ["100000 99999\n", rows(99999, [1, 1, 1, 1], [2, 2, 1, 1], [10**9, 10**9])],
       ["100000 200000\n", rows(99999, [1, 1, 0, 1], [2, 2, 1, 1], [1, 10**9], seed=2), rows(100001, [1, 100000], [1, 100000], [-10**9, 10**9], seed=3)]], time=2, slow=r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<array<int, 3>> cables(m);
  for (auto& [a, b, cost] : cables) cin >> a >> b >> cost;
  vector<char> inside(n + 1);
  inside[1] = 1;
  long long total = 0;
  for (int left = n - 1; left > 0; --left) {
    const array<int, 3>* best = nullptr;
    for (const auto& cable : cables)
      if (inside[cable[0]] != inside[cable[1]] && (best == nullptr || cable[2] < (*best)[2])) best = &cable;
    if (best == nullptr) {
      cout << "impossible\n";
      return 0;
    }
    inside[(*best)[0]] = inside[(*best)[1]] = 1;
    total += (*best)[2];
  }
  cout << total << "\n";
}""")
def cheapest_network(text):
    """Houses 1 to n shall be connected by cables so that one can get from each house to each other one, perhaps through
    several cables. Offers for cables are given: two houses, which may be the same, and a cost; somebody who pays to have
    the cable makes a negative one. What is the smallest total cost of n - 1 cables that connect all houses?

    Input: n (1 to 100000) and the number of offers (0 to 200000), then the offers; costs are from -10^9 to 10^9.
    Output: this cost, or impossible."""
    n, m, *rest = ints(text)
    near = [[] for _ in range(n + 1)]
    for a, b, cost in zip(rest[::3], rest[1::3], rest[2::3]):
        near[a].append((cost, b))
        near[b].append((cost, a))
    inside, heap, total = set(), [(0, 1)], 0
    while heap:
        cost, i = heapq.heappop(heap)
        if i not in inside:
            inside.add(i)
            total += cost
            for edge in near[i]:
                if edge[1] not in inside:
                    heapq.heappush(heap, edge)
    return total if len(inside) == n else "impossible"


@task("hidden-melody", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  string song, part;
  cin >> song >> part;
  vector<size_t> border(part.size());
  for (size_t i = 1, k = 0; i < part.size(); ++i) {
    while (k > 0 && part[i] != part[k]) k = border[k - 1];
    if (part[i] == part[k]) ++k;
    border[i] = k;
  }
  size_t count = 0, k = 0;
  for (char c : song) {
    while (k > 0 && (k == part.size() || c != part[k])) k = border[k - 1];
    if (c == part[k]) ++k;
    if (k == part.size()) ++count;
  }
  cout << count << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  string song, part;
  cin >> song >> part;
  size_t count = 0;
  for (size_t i = 0; i + part.size() <= song.size(); ++i) {
    size_t k = 0;
    while (k < part.size() && song[i + k] == part[k]) ++k;
    if (k == part.size()) ++count;
  }
  cout << count << "\n";
}""", ["cdcdcdc cdc\n", "a a\n", "a b\n", "ab abc\n", "ggggg gg\n", "abcabcabd abcabd\n", "aabaaab aab\n",
       [rows(3000, ["c", "d"], end=""), " cddc\n"], [rows(1000000, "c", end=""), " ", rows(400000, "c", end=""), "\n"],
       [rows(300000, "cdc", end=""), " ", rows(100000, "cdc", end=""), "d\n"]], time=1)
def hidden_melody(text):
    """How often does a part occur in a song? Occurrences may overlap: cdc occurs three times in cdcdcdc.

    Input: the song and the part, words of 1 to 1000000 small letters.
    Output: the number of occurrences."""
    song, part = text.split()
    joined, z, left, right = part + "|" + song, [0], 0, 0
    for i in range(1, len(joined)):  # z[i]: how far the text at i agrees with its beginning
        k = min(right - i, z[i - left]) if i < right else 0
        while i + k < len(joined) and joined[k] == joined[i + k]:
            k += 1
        z.append(k)
        if i + k > right:
            left, right = i, i + k
    return z.count(len(part))


@task("mirror-words", 2, r"""
int main() {
  ios::sync_with_stdio(false);
  string s, t = "^";
  cin >> s;
  for (char c : s) t += '|', t += c;
  t += "|$";
  vector<int> reach(t.size());
  long long count = 0;
  int best = 0, middle = 0, right = 0;
  for (int i = 1; i + 1 < (int)t.size(); ++i) {
    if (i < right) reach[i] = min(right - i, reach[2 * middle - i]);
    while (t[i + reach[i] + 1] == t[i - reach[i] - 1]) ++reach[i];
    if (i + reach[i] > right) middle = i, right = i + reach[i];
    best = max(best, reach[i]);
    count += (reach[i] + 1) / 2;
  }
  cout << best << " " << count << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  string s;
  cin >> s;
  int n = (int)s.size(), best = 0;
  long long count = 0;
  for (int middle = 0; middle < 2 * n; ++middle) {
    int l = middle / 2, r = l + middle % 2;
    while (l >= 0 && r < n && s[l] == s[r]) --l, ++r, ++count;
    if (r - l - 1 > best) best = r - l - 1;
  }
  cout << best << " " << count << "\n";
}""", ["abacabad\n", "a\n", "ab\n", "aaaa\n", "abba\n", "abcde\n", "xyyxzzx\n", [rows(2000, ["a", "b"], end=""), "\n"],
       [rows(300000, "a", end=""), "\n"], [rows(150000, "ab", end=""), "b", rows(150000, "ab", end=""), "\n"]], time=1)
def mirror_words(text):
    """A piece of a word is any run of neighbouring letters. Find the length of the longest piece that reads the same
    backwards, and count all pieces that do: equal ones in other places count again, single letters too.

    Input: a word of 1 to 600000 small letters.
    Output: both numbers."""
    s = text.strip()
    t, reach, middle, right, best, count = "^|" + "|".join(s) + "|$", [0], 0, 0, 0, 0
    for i in range(1, len(t) - 1):
        k = min(right - i, reach[2 * middle - i]) if i < right else 0
        while t[i + k + 1] == t[i - k - 1]:
            k += 1
        reach.append(k)
        if i + k > right:
            middle, right = i, i + k
        best, count = max(best, k), count + (k + 1) // 2
    return f"{best} {count}"


@task("far-tiles", 2, r"""
using Matrix = array<array<long long, 3>, 3>;
const long long kPrime = 1000000007;
Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) c[i][j] = (c[i][j] + a[i][k] * b[k][j]) % kPrime;
  return c;
}
int main() {
  long long n, a, b, c;
  while (cin >> n >> a >> b >> c) {
    Matrix result{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, step{{{a, b, c}, {1, 0, 0}, {0, 1, 0}}};
    for (; n > 0; n /= 2) {
      if (n % 2) result = times(result, step);
      step = times(step, step);
    }
    cout << result[0][0] << "\n";
  }
}""", r"""
int main() {
  long long n, a, b, c;
  while (cin >> n >> a >> b >> c) {
    long long x = 1, y = 0, z = 0;
    while (n--) {
      long long w = (a * x + b * y + c * z) % 1000000007;
      z = y;
      y = x;
      x = w;
    }
    cout << x << "\n";
  }
}""", ["3 1 1 1\n2 3 0 5\n", "0 5 5 5\n", "1 7 1 1\n", "5 0 0 0\n", "30 1 1 0\n", "1000 1 2 3\n2 0 1 0\n3 0 0 1\n", "4 1000000 1000000 1000000\n",
       "1000000000000000000 1 1 1\n", "999999999999999999 999999 2 1000000\n" * 5, "".join(f"{draw(0, 60)} {line(draw.list(3, 0, 10**6))}\n" for _ in range(60))], time=1)
def far_tiles(text):
    """A path of length n is laid with tiles of lengths 1, 2 and 3, of which there are a, b and c colours. How many
    different paths are there? The path of length 0 is one.

    Input: lines with n (0 to 10^18), a, b and c (0 to 1000000 each), at most 100, to the end of the input.
    Output: the number for each line modulo 1000000007."""
    prime, out, numbers = 1000000007, [], ints(text)
    for n, a, b, c in zip(*[iter(numbers)] * 4):
        # x^(n + 2) modulo x^3 - a x^2 - b x - c gives the n-th number from 0, 0, 1
        power = [1, 0, 0]
        for bit in bin(n + 2)[2:]:
            square = [0] * 6
            for i in range(3):
                for j in range(3):
                    square[i + j + (bit == "1")] += power[i] * power[j]
            for i in range(5, 2, -1):
                for back, factor in ((1, a), (2, b), (3, c)):
                    square[i - back] += square[i] * factor
            power = [x % prime for x in square[:3]]
        out.append(power[2])
    return "\n".join(map(str, out))
