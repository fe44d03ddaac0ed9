"""Tasks of middle difficulty of the suite "cpp", second half."""
import datetime
import heapq

from cpp_suite import Draw, ints, line, row_of, rows, task

draw = Draw(202)


@task("rubber-band", 1, r"""
using Point = pair<long long, long long>;
long long turn(Point a, Point b, Point c) {
  return (b.first - a.first) * (c.second - a.second) - (b.second - a.second) * (c.first - a.first);
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n;
  cin >> n;
  vector<Point> p(n), hull;
  for (auto& [x, y] : p) cin >> x >> y;
  sort(p.begin(), p.end());
  p.erase(unique(p.begin(), p.end()), p.end());
  for (int side = 0; side < 2; ++side) {
    size_t start = hull.size();
    for (Point q : p) {
      while (hull.size() >= start + 2 && turn(hull[hull.size() - 2], hull.back(), q) <= 0) hull.pop_back();
      hull.push_back(q);
    }
    hull.pop_back();
    reverse(p.begin(), p.end());
  }
  long long twice = 0;
  for (size_t i = 0; i < hull.size(); ++i) {
    Point a = hull[i], b = hull[(i + 1) % hull.size()];
    twice += a.first * b.second - b.first * a.second;
  }
  if (p.size() == 1) hull.assign(1, p[0]);
  cout << hull.size() << " " << twice << "\n";
}""", ("hull.back(), q) <= 0", "hull.back(), q) < 0"),
      ["5\n0 0\n4 0\n4 4\n0 4\n2 2\n", "1\n3 3\n", "2\n1 1\n1 1\n", "3\n0 0\n1 1\n5 5\n", "4\n0 0\n2 0\n4 0\n2 3\n", "4\n0 0\n0 5\n0 2\n0 9\n",
       "4\n-100000000 -100000000\n100000000 100000000\n-100000000 100000000\n100000000 -100000000\n",
       ["2000\n", rows(2000, [-20, 20], [-20, 20])], ["100000\n", rows(100000, [-10**8, 10**8], [-10**8, 10**8], seed=5)],
       ["50000\n", rows(50000, [0, 0, 1, 1], [7, 7, 3, 3])]])
def rubber_band(text):
    """A rubber band is put around nails in a board. How many corners does it have, and what is twice the area within?
    A nail in the middle of a straight part is no corner. If all nails lie on a line the corners are the two ends (or
    the one point if all are the same), and the area is 0.

    Input: n (1 to 100000), then n points, coordinates from -10^8 to 10^8; some may be equal.
    Output: both numbers."""
    numbers = ints(text)[1:]
    points = sorted(set(zip(numbers[::2], numbers[1::2])))
    if len(points) == 1:
        return "1 0"

    def half(points):
        chain = []
        for x, y in points:
            while len(chain) > 1:
                (a, b), (c, d) = chain[-2:]
                if (c - a) * (y - b) - (d - b) * (x - a) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]
    hull = half(points) + half(points[::-1])
    return f"{len(hull)} {abs(sum(a * d - c * b for (a, b), (c, d) in zip(hull, hull[1:] + hull[:1])))}"


@task("job-order", 1, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, m;
  cin >> n >> m;
  vector<vector<int>> after(n + 1);
  vector<int> waits(n + 1), order;
  while (m--) {
    int a, b;
    cin >> a >> b;
    after[a].push_back(b);
    ++waits[b];
  }
  priority_queue<int, vector<int>, greater<int>> ready;
  for (int i = 1; i <= n; ++i)
    if (waits[i] == 0) ready.push(i);
  while (!ready.empty()) {
    int i = ready.top();
    ready.pop();
    order.push_back(i);
    for (int j : after[i])
      if (--waits[j] == 0) ready.push(j);
  }
  if ((int)order.size() < n) {
    cout << "circle\n";
    return 0;
  }
  for (int i = 0; i < n; ++i) cout << order[i] << (i + 1 < n ? " " : "\n");
}""", ("priority_queue<int, vector<int>, greater<int>> ready;", "priority_queue<int> ready;"),
      ["4 3\n3 1\n1 2\n4 2\n", "1 0\n", "1 1\n1 1\n", "3 3\n1 2\n2 3\n3 1\n", "5 0\n", "5 4\n5 4\n4 3\n3 2\n2 1\n", "3 2\n1 2\n1 2\n",
       "6 6\n6 1\n6 2\n5 1\n5 3\n4 2\n1 3\n",
       "150 300\n" + "".join(f"{(a := draw(2, 150))} {draw(1, a - 1)}\n" for _ in range(300)),
       "60 120\n" + "".join(f"{draw(1, 60)} {draw(1, 60)}\n" for _ in range(120))])
def job_order(text):
    """Jobs 1 to n have to be done one after another; of some pairs it is known which comes first. Of all possible orders
    choose the one whose first job has the smallest number, then the second, and so on.

    Input: n (1 to 100000) and m (0 to 200000), then m pairs a b: a must be done before b. Pairs may be repeated.
    Output: the order, or circle if there is none."""
    n, m, *pairs = ints(text)
    before = {i: set() for i in range(1, n + 1)}
    after = {i: set() for i in range(1, n + 1)}
    for a, b in zip(pairs[::2], pairs[1::2]):
        before[b].add(a)
        after[a].add(b)
    ready, order = [i for i in before if not before[i]], []
    heapq.heapify(ready)
    while ready:
        i = heapq.heappop(ready)
        order.append(i)
        for j in after[i]:
            before[j].remove(i)
            if not before[j]:
                heapq.heappush(ready, j)
    return line(order) if len(order) == n else "circle"


@task("merging-clubs", 1, r"""
vector<int> parent;
int root(int i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  parent.resize(n + 1);
  vector<int> size(n + 1, 1);
  for (int i = 1; i <= n; ++i) parent[i] = i;
  long long sum = 0, refused = 0;
  while (q--) {
    int a, b;
    cin >> a >> b;
    a = root(a), b = root(b);
    if (a == b) {
      ++refused;
      continue;
    }
    if (size[a] < size[b]) swap(a, b);
    parent[b] = a;
    size[a] += size[b];
    sum += size[a];
  }
  cout << sum << " " << refused << "\n";
}""", r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  int n, q;
  cin >> n >> q;
  vector<int> club(n + 1);
  for (int i = 1; i <= n; ++i) club[i] = i;
  long long sum = 0, refused = 0;
  while (q--) {
    int a, b;
    cin >> a >> b;
    int from = club[b], to = club[a];
    if (from == to) {
      ++refused;
      continue;
    }
    int size = 0;
    for (int i = 1; i <= n; ++i) {
      if (club[i] == from) club[i] = to;
      if (club[i] == to) ++size;
    }
    sum += size;
  }
  cout << sum << " " << refused << "\n";
}""", ["5 4\n1 2\n3 4\n2 1\n4 1\n", "1 1\n1 1\n", "2 2\n2 1\n1 2\n", "3 1\n3 3\n", "4 3\n1 2\n2 3\n3 4\n",
       ["1000 900\n", rows(900, [1, 1000], [1, 1000])], ["200000 199999\n", rows(199999, [1, 1, 1, 1], [2, 2, 1, 1])],
       ["200000 200000\n", rows(200000, [1, 200000], [1, 200000], seed=6)],
       ["200000 199999\n", rows(199999, [199999, 199999, -1, -1], [200000, 200000, -1, -1])]], time=1)
def merging_clubs(text):
    """Each of n people is a club of their own. Then pairs of people meet: if they are in different clubs, these two
    clubs become one, and everybody in it gets a card; otherwise the meeting was in vain. How many cards are given out,
    and how many meetings were in vain?

    Input: n (1 to 200000) and the number of meetings (1 to 200000), then the meetings as two people from 1 to n.
    Output: both numbers."""
    n, q, *pairs = ints(text)
    club, members = list(range(n + 1)), [[i] for i in range(n + 1)]
    cards = vain = 0
    for a, b in zip(pairs[::2], pairs[1::2]):
        a, b = club[a], club[b]
        if a == b:
            vain += 1
            continue
        if len(members[a]) < len(members[b]):
            a, b = b, a
        for i in members[b]:
            club[i] = a
        members[a] += members[b]
        members[b] = []
        cards += len(members[a])
    return f"{cards} {vain}"


@task("even-lines", 1, r"""
int main() {
  size_t width;
  cin >> width;
  vector<string> words;
  string word;
  while (cin >> word) words.push_back(word);
  for (size_t i = 0; i < words.size();) {
    size_t j = i, letters = 0;
    while (j < words.size() && letters + words[j].size() + (j - i) <= width) letters += words[j++].size();
    size_t gaps = j - i - 1;
    for (size_t k = i; k < j; ++k) {
      cout << words[k];
      if (k + 1 == j) break;
      size_t spaces = j == words.size() ? 1 : (width - letters) / gaps + (k - i < (width - letters) % gaps);
      cout << string(spaces, ' ');
    }
    cout << "\n";
    i = j;
  }
}""", ("k - i < (width - letters) % gaps", "j - k - 2 < (width - letters) % gaps"),
      ["16\nThis is a short text that shall fill its lines.\n", "5\na\n", "3\nabc def\n", "10\na b c d e f\n", "7\na bb ccc d eeeeeee f\n",
       "4\nab c\nab cd\n", "20\none\n\n  two   three\nfour five six seven eight nine ten\n", "11\naa bb cc dd ee ff gg hh i\n",
       "60\n" + " ".join(draw.word(draw(1, 12)) for _ in range(400)) + "\n"])
def even_lines(text):
    """Set a text in lines of equal width. Put as many words into each line as fit with one space between them, then
    spread the missing spaces over the gaps of the line: all gaps get equally many, and what is left over goes one each
    to the first gaps. A line with a single word stays as it is, and so does the last line, with single spaces.

    Input: the width (1 to 100), then words, none longer than the width, set apart by white space; at most 10000
    characters.
    Output: the lines, without spaces at their ends."""
    width, *words = text.split()
    width, lines = int(width), [[]]
    for word in words:
        if lines[-1] and len(" ".join(lines[-1] + [word])) > width:
            lines.append([])
        lines[-1].append(word)
    out = []
    for row in lines[:-1]:
        spaces, gaps = width - sum(map(len, row)), len(row) - 1
        s = row[0]
        for i, word in enumerate(row[1:]):
            s += " " * (spaces // gaps + (i < spaces % gaps)) + word
        out.append(s)
    return "\n".join(out + [" ".join(lines[-1])])


@task("small-shelf", 1, r"""
int main() {
  ios::sync_with_stdio(false);
  cin.tie(nullptr);
  size_t places;
  int n;
  cin >> places >> n;
  list<int> shelf;
  unordered_map<int, list<int>::iterator> where;
  int walks = 0;
  while (n--) {
    int book;
    cin >> book;
    auto found = where.find(book);
    if (found != where.end()) {
      shelf.erase(found->second);
    } else {
      ++walks;
      if (shelf.size() == places) {
        where.erase(shelf.back());
        shelf.pop_back();
      }
    }
    shelf.push_front(book);
    where[book] = shelf.begin();
  }
  cout << walks << "\n";
  for (int book : shelf) cout << book << (book == shelf.back() ? "\n" : " ");
}""", ("      shelf.erase(found->second);", "      continue;"),
      ["2 6\n1 2 1 3 2 3\n", "1 1\n5\n", "1 4\n1 1 2 1\n", "3 5\n1 2 3 1 4\n", "10 3\n7 8 7\n", "2 8\n1 2 3 1 2 3 1 2\n",
       ["20 2000\n", *row_of(2000, [1, 40])], ["5 100000\n", *row_of(100000, [1, 30], 2)], ["20 100000\n", *row_of(100000, [1, 25], 3)]])
def small_shelf(text):
    """A reader has a shelf with room for a few books; the others are in the cellar. A book that is wanted and not on the
    shelf is fetched. If the shelf is full, the book that was not wanted for the longest time goes to the cellar first.
    The shelf is empty at the beginning.

    Input: the number of places (1 to 20) and of wishes n (1 to 100000), then n books as numbers from 1 to 10^9.
    Output: on one line how many books were fetched; on the next the books on the shelf at the end, the one that was
    wanted last first."""
    places, n, *wishes = ints(text)
    shelf, walks = [], 0
    for book in wishes:
        if book in shelf:
            shelf.remove(book)
        else:
            walks += 1
            del shelf[places - 1:]
        shelf.insert(0, book)
    return f"{walks}\n{line(shelf)}"


def program(depth):
    out = ""
    for _ in range(draw(1, 4)):
        kind = draw(0, 5)
        out += draw.pick("FLR") if kind < 4 or depth == 0 else f"{draw(0, 9)}[{program(depth - 1)}]"
    return out


@task("turtle-loops", 1, r"""
struct Move {
  long long x = 0, y = 0;  // as seen by a turtle that looks north
  int turn = 0;            // quarters to the right
};
Move then(Move a, Move b) {
  for (int i = 0; i < a.turn; ++i) {
    long long x = b.x;
    b.x = b.y;
    b.y = -x;
  }
  return {a.x + b.x, a.y + b.y, (a.turn + b.turn) % 4};
}
string s;
size_t at = 0;
Move block() {
  Move all;
  while (at < s.size() && s[at] != ']') {
    char c = s[at];
    if (isdigit((unsigned char)c)) {
      long long times = 0;
      while (isdigit((unsigned char)s[at])) times = times * 10 + (s[at++] - '0');
      ++at;
      Move inner = block(), repeated;
      for (; times > 0; times /= 2) {
        if (times % 2) repeated = then(repeated, inner);
        inner = then(inner, inner);
      }
      all = then(all, repeated);
    } else {
      all = then(all, c == 'F' ? Move{0, 1, 0} : Move{0, 0, c == 'R' ? 1 : 3});
    }
    ++at;
  }
  return all;
}
int main() {
  cin >> s;
  Move end = block();
  cout << end.x << " " << end.y << " " << "NESW"[end.turn] << "\n";
}""", ("if (times % 2) repeated = then(repeated, inner);", "if (times % 2) repeated = inner;"),
      ["3[FR2[FF]]L\n", "F\n", "RF\n", "4[FR]\n", "0[FFFF]F\n", "1000000[F]\n", "2[3[4[5[F]L]]R]\n", "1000000[1000000[F]R]F\n",
       "L1000000[F1000000[F]]\n", "7[FL]3[FFR2[LF]]\n", *(program(5) + "\n" for _ in range(4))])
def turtle_loops(text):
    """A turtle stands at 0 0 and looks north. F moves it one step in its direction, L and R turn it by a quarter to the
    left and to the right, and a number with a program in square brackets after it repeats that program so many times.
    Where is it in the end, and where does it look?

    Input: a program of at most 10000 characters, numbers from 0 to 1000000, nothing empty in brackets. The coordinates
    never exceed 10^15.
    Output: x (to the east), y (to the north), and N, E, S or W."""
    s, at = text.strip(), 0

    def then(a, b):  # places as complex numbers; a turn is a factor
        return a[0] + a[1] * b[0], a[1] * b[1]

    def times(m, n):
        if n == 0:
            return 0, 1
        half = times(then(m, m), n // 2)
        return then(half, m) if n % 2 else half

    class Whole:  # a Gaussian integer: Python's complex numbers are not exact
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __add__(self, o):
            o = o if isinstance(o, Whole) else Whole(o, 0)
            return Whole(self.x + o.x, self.y + o.y)

        def __mul__(self, o):
            o = o if isinstance(o, Whole) else Whole(o, 0)
            return Whole(self.x * o.x - self.y * o.y, self.x * o.y + self.y * o.x)
        __radd__, __rmul__ = __add__, __mul__
    unit = {"F": (Whole(0, 1), Whole(1, 0)), "L": (Whole(0, 0), Whole(0, 1)), "R": (Whole(0, 0), Whole(0, -1))}

    def block():
        nonlocal at
        all_ = (Whole(0, 0), Whole(1, 0))
        while at < len(s) and s[at] != "]":
            if s[at].isdigit():
                start = at
                while s[at].isdigit():
                    at += 1
                n, at = int(s[start:at]), at + 1
                all_ = then(all_, times(block(), n))
            else:
                all_ = then(all_, unit[s[at]])
            at += 1
        return all_
    place, turn = block()
    return f"{place.x} {place.y} {'NWSE'[[(1, 0), (0, 1), (-1, 0), (0, -1)].index((turn.x, turn.y))]}"


def in_base(n, base):
    digits = ""
    while n:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[n % base] + digits
        n //= base
    return digits or "0"


@task("other-base", 1, r"""
int main() {
  int from, to;
  string s;
  while (cin >> from >> to >> s) {
    vector<int> number;
    for (char c : s) number.push_back(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
    string out;
    while (!number.empty()) {
      vector<int> quotient;
      int rest = 0;
      for (int digit : number) {
        rest = rest * from + digit;
        if (!quotient.empty() || rest / to > 0) quotient.push_back(rest / to);
        rest %= to;
      }
      out += "0123456789abcdefghijklmnopqrstuvwxyz"[rest];
      number = quotient;
    }
    while (out.size() > 1 && out.back() == '0') out.pop_back();
    reverse(out.begin(), out.end());
    cout << out << "\n";
  }
}""", ("if (!quotient.empty() || rest / to > 0) quotient.push_back", "if (rest / to > 0) quotient.push_back"),
      ["10 2 13\n16 10 ff\n", "2 36 0\n", "10 10 1000\n", "36 2 z\n", "2 3 100000000\n", "10 16 18446744073709551616\n", "7 7 0\n3 9 2102\n",
       f"10 36 9{draw.word(399, '0123456789')}\n36 10 z{draw.word(300, '0123456789xyz')}\n",
       "".join(f"{(b := draw(2, 36))} {draw(2, 36)} {in_base(draw(0, 10**18), b)}\n" for _ in range(60))])
def other_base(text):
    """Write numbers in another base. Digits above 9 are the letters a to z.

    Input: lines with a base from 2 to 36, another one, and a number of at most 500 digits in the first, which does not
    begin with 0 unless it is 0; to the end of the input.
    Output: each number in its second base."""
    words = text.split()
    return "\n".join(in_base(int(n, int(a)), int(b)) for a, b, n in zip(words[::3], words[1::3], words[2::3]))


@task("quoted-fields", 1, r"""
int main() {
  string s;
  getline(cin, s);
  vector<string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (quoted) {
      if (c == '"' && i + 1 < s.size() && s[i + 1] == '"')
        fields.back() += '"', ++i;
      else if (c == '"')
        quoted = false;
      else
        fields.back() += c;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  cout << fields.size() << "\n";
  for (auto& field : fields) cout << "[" << field << "]\n";
}""", ("if (c == '\"' && i + 1 < s.size() && s[i + 1] == '\"')", "if (false)"),
      ['red,"deep, dark blue","say ""hi""",\n', "a\n", "\n", ",\n", '""\n', '"a""b"\n', '"","",x\n', '"""",","\n', "a b , c\n",
       '"""""","a"",""b",c\n',
       ",".join(draw.pick([draw.word(5), '"' + draw.word(3, "ab,") + '""' + draw.word(2, ",x") + '"', ""]) for _ in range(300)) + "\n"])
def quoted_fields(text):
    """Cut a line into fields at its commas. A field that begins with a double quote goes to the next quote that stands
    alone; commas within belong to it, and two quotes one after the other stand for one. The quotes around such a field
    are not part of it, and after it comes a comma or the end of the line. Other fields have no quotes.

    Input: one such line of at most 10000 characters, perhaps empty (which is one empty field).
    Output: the number of fields, then each in square brackets on a line of its own."""
    import csv
    fields = next(csv.reader([text.split("\n")[0]], strict=True), None) or [""]
    return "\n".join([str(len(fields))] + [f"[{field}]" for field in fields])


@task("few-prime-factors", 1, r"""
int main() {
  const int kLimit = 1000000;
  vector<int> factors(kLimit + 1);
  for (int p = 2; p <= kLimit; ++p) {
    if (factors[p] != 0) continue;
    for (int m = p; m <= kLimit; m += p) ++factors[m];
  }
  vector<vector<int>> upto(8, vector<int>(kLimit + 1));
  for (int k = 0; k < 8; ++k)
    for (int i = 1; i <= kLimit; ++i) upto[k][i] = upto[k][i - 1] + (factors[i] == k);
  int q;
  cin >> q;
  while (q--) {
    int a, b, k;
    cin >> a >> b >> k;
    cout << upto[k][b] - upto[k][a - 1] << "\n";
  }
}""", ("upto[k][b] - upto[k][a - 1]", "upto[k][b] - upto[k][a]"),
      ["3\n1 10 1\n1 30 3\n6 6 2\n", "1\n1 1 0\n", "1\n1 1000000 0\n", "1\n1 1000000 7\n", "1\n999983 999983 1\n", "2\n510510 510510 7\n2 2 1\n",
       "1\n1 1000000 3\n", "200\n" + "".join(f"{(a := draw(1, 10**6))} {draw(a, 10**6)} {draw(0, 7)}\n" for _ in range(200)),
       "200\n" + "".join(f"{(a := draw(1, 999000))} {a + draw(0, 900)} {draw(1, 4)}\n" for _ in range(200))])
def few_prime_factors(text):
    """How many numbers from a to b have exactly k different prime factors? 12 has two, 2 and 3; 1 has none.

    Input: q (1 to 200), then q lines with a, b and k, 1 <= a <= b <= 1000000 and 0 <= k <= 7.
    Output: the number for each line."""
    from bisect import bisect_left, bisect_right
    size, groups = 10**6, [[] for _ in range(8)]
    least, count = [0] * (size + 1), [0] * (size + 1)
    for p in range(2, size + 1):
        if least[p] == 0:
            for m in range(p, size + 1, p):
                if least[m] == 0:
                    least[m] = p
    for i in range(1, size + 1):
        if i > 1:
            rest = i // least[i]
            count[i] = count[rest] + (rest % least[i] != 0)
        groups[count[i]].append(i)
    numbers = ints(text)[1:]
    return "\n".join(str(bisect_right(groups[k], b) - bisect_left(groups[k], a))
                     for a, b, k in zip(numbers[::3], numbers[1::3], numbers[2::3]))


@task("day-names", 1, r"""
const char* kNames[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
bool leap(long long y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }
int main() {
  const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  long long d, m, y, more;
  while (cin >> y >> m >> d >> more) {
    long long before = y - 1, days = before * 365 + before / 4 - before / 100 + before / 400;
    for (int i = 1; i < m; ++i) days += lengths[i - 1] + (i == 2 && leap(y));
    days += d - 1 + more;
    cout << kNames[(days % 7 + 7) % 7] << "\n";
  }
}""", ("+ (i == 2 && leap(y))", "+ (i == 2 && y % 4 == 0)"),
      ["2025 1 20 0\n2024 2 28 2\n", "1 1 1 0\n", "2000 2 29 1\n", "1900 3 1 0\n", "2100 12 31 0\n", "1 1 1 -1000000000\n", "9999 12 31 1000000000\n",
       "1970 1 1 -1\n2000 3 1 -1\n", "".join(f"{draw(1, 9999)} {draw(1, 12)} {draw(1, 28)} {draw(-10**6, 10**6)}\n" for _ in range(100))])
def day_names(text):
    """Which day of the week is it so many days after (or, if negative, before) a date of the Gregorian calendar? This
    calendar is used for all years here, before 1582 too. 1 January of year 1 was a Monday.

    Input: lines with year (1 to 9999), month, day and the number of days from -10^9 to 10^9, to the end of the input.
    Output: Monday, Tuesday, ... for each line."""
    names, numbers = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), ints(text)
    return "\n".join(names[(datetime.date(y, m, d).weekday() + more) % 7] for y, m, d, more in zip(*[iter(numbers)] * 4))
