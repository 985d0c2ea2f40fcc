using System.Globalization;
using System.Text;
using JobHost.Cli.Commands;
using JobHost.Client.Documents;
using Spectre.Console;

namespace JobHost.Cli.Screens;

/// <summary>What <c>top</c> has seen.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Runs">The newest runs that have not ended.</param>
/// <param name="Problem">Why it is not what there is now, or null.</param>
internal sealed record TopView(IReadOnlyList<Node> Nodes, IReadOnlyList<Run> Runs, string? Problem);

/// <summary>A whole terminal, drawn over again and again.</summary>
internal static class TopScreen
{
    private const int MinBar = 4;
    private const int MaxBar = 30;

    // What the other columns take where nothing in them is long.
    private const int BesideBar = 68;
    private const int MaxJob = 18;

    // The screen aside, so that what was there comes back; the cursor hidden.
    internal static void Open(Screen screen) => screen.Write("\u001b[?1049h\u001b[?25l");

    internal static void Close(Screen screen) => screen.Write("\u001b[?25h\u001b[?1049l");

    internal static void Draw(Screen screen, TopView view, DateTimeOffset now)
    {
        var width = screen.Width;
        var height = Console.WindowHeight is > 0 and var rows ? rows : 24;
        var lines = new List<string>();
        lines.AddRange(view.Nodes.Select(node => Words.Cut(Words.Clean(Headline(node)), width)));
        lines.AddRange(view.Nodes.Select(node => Words.Cut($"  {NodeVerbs.Slots(node)}", width)));
        lines.Add(Words.Cut(view.Problem ?? "", width));
        var room = Math.Max(1, height - lines.Count - 3);
        var bar = Math.Clamp(width - BesideBar, MinBar, MaxBar);
        var runs = Ordered(view.Runs).ToList();
        var listing = new Listing("RUN", "JOB", "STATE", "TIME", "PROGRESS", "NOTE");
        foreach (var run in runs.Take(room))
        {
            listing.Add(
                RunFinder.Short(run.Id),
                Words.Cut(run.Job, MaxJob),
                Words.State(run),
                Words.Time(run, now),
                new Cell(Bar(run, bar, screen.IsRich), new Style(Color.Green)),
                Words.Note(run)
            );
        }
        lines.AddRange(screen.Render(listing.ToTable(screen, width), width).TrimEnd('\n').Split('\n'));
        var more = runs.Count > room ? $"{runs.Count - room} more. " : "";
        var text = new StringBuilder("\u001b[H");
        foreach (var line in lines.Take(height - 1))
        {
            text.Append(line).Append("\u001b[K\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"\u001b[J\u001b[{height};1H{more}q ends");
        screen.Write(text.ToString());
    }

    /// <summary>What is stuck first, then what runs, then what waits in the order in which it begins.</summary>
    private static IEnumerable<Run> Ordered(IEnumerable<Run> runs) =>
        runs.OrderBy(run =>
                run.State switch
                {
                    RunState.Stuck => 0,
                    RunState.Running => 1,
                    _ => 2,
                }
            )
            .ThenByDescending(run => run.State == RunState.Queued ? run.Priority : 0)
            .ThenBy(run => run.CreatedAt);

    private static string Headline(Node node)
    {
        var stuck = node.Stuck.Count == 0 ? "" : $", {node.Stuck.Count} stuck";
        var executing = node.Slots.Sum(slots => slots.Executing);
        return $"{node.Name} {Words.NameOf(node.State)}, {executing} running, {node.Queued} queued{stuck}, tier {node.Processes?.Tier}, up {Words.Duration(TimeProvider.System.GetUtcNow() - node.StartedAt)}";
    }

    private static string Bar(Run run, int width, bool isRich)
    {
        if (run.Progress is not { } progress)
        {
            return "";
        }
        var share = Math.Clamp(progress.Percent, 0, 100) / 100;
        var full = (int)Math.Round(share * width);
        var (done, open) = isRich ? ('\u2588', '\u2591') : ('#', '.');
        return new string(done, full) + new string(open, width - full) + $" {Words.Percent(run), 4}";
    }
}
