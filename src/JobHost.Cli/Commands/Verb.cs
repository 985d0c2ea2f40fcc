using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary>What verbs have in common.</summary>
internal static class Verb
{
    /// <summary>Carries a verb out with a session of its own.</summary>
    internal static void Does(this Command command, Func<ParseResult, Session, CancellationToken, Task<int>> act) =>
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var session = Session.Open(parsed);
                return await act(parsed, session, cancellationToken);
            }
        );

    /// <summary>One run, by its id or the end of it.</summary>
    internal static Argument<string> Run(Func<CompletionContext, IEnumerable<CompletionItem>>? names = null)
    {
        var run = new Argument<string>("run")
        {
            Description = "The id of a run, or its last characters",
            HelpName = "RUN",
        };
        run.CompletionSources.Add(names ?? Complete.Run);
        return run;
    }

    /// <summary>One or more runs.</summary>
    internal static Argument<string[]> Runs(Func<CompletionContext, IEnumerable<CompletionItem>>? names = null)
    {
        var runs = new Argument<string[]>("run")
        {
            Description = "Ids of runs, or their last characters",
            HelpName = "RUN",
            Arity = ArgumentArity.OneOrMore,
        };
        runs.CompletionSources.Add(names ?? Complete.Run);
        return runs;
    }

    internal static Argument<string> Job()
    {
        var job = new Argument<string>("job") { Description = "The name of a job", HelpName = "JOB" };
        job.CompletionSources.Add(Complete.Job);
        return job;
    }

    /// <summary>The option <c>--job</c>.</summary>
    internal static Option<string> JobOption(string description)
    {
        var job = new Option<string>("--job", "-j") { Description = description, HelpName = "job" };
        job.CompletionSources.Add(Complete.Job);
        return job;
    }

    internal static Argument<string?> Node()
    {
        var node = new Argument<string?>("node")
        {
            Description = "The name of a node. Default: the only one",
            HelpName = "NODE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        node.CompletionSources.Add(Complete.Node);
        return node;
    }

    /// <summary>The option <c>--limit</c>.</summary>
    internal static Option<int> Limit() =>
        new("--limit", "-n")
        {
            Description = "At most so many, the newest. Default: 50",
            HelpName = "count",
            DefaultValueFactory = _ => 50,
        };

    internal static Option<bool> Follow() =>
        new("--follow", "-f") { Description = "Shows what the run prints, until it has ended" };

    internal static Option<bool> Wait() =>
        new("--wait", "-w") { Description = "Waits until the run has ended; without, prints its id" };

    /// <summary>The option <c>--raw</c>.</summary>
    internal static Option<bool> Raw() =>
        new("--raw")
        {
            Description =
                "Lets what the run has printed steer the terminal: colours, and whatever else. Without, control characters are shown",
        };

    internal static Option<string> Reason() =>
        new("--reason") { Description = "Why; it is recorded", HelpName = "text" };

    /// <summary>An option of a number that may not be negative.</summary>
    internal static Option<double?> Seconds(string name, string description)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = "seconds" };
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [{ Value: var text }]
                && !(double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds >= 0)
            )
            {
                result.AddError($"{name} is a number of seconds, 0 or more.");
            }
        });
        return option;
    }

    internal static Option<string[]> Labels(string description) =>
        new("--label", "-l") { Description = description, HelpName = "name=value" };

    /// <summary>Labels as they were given.</summary>
    /// <exception cref="UsageException">One is none.</exception>
    internal static Dictionary<string, string>? LabelsOf(string[]? labels)
    {
        if (labels is not { Length: > 0 })
        {
            return null;
        }
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in labels)
        {
            if (label.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new UsageException($"'{label}' is no label; one is written as name=value.");
            }
            read[name] = value;
        }
        return read;
    }

    internal static TimeSpan? Time(double? seconds) => seconds is { } value ? TimeSpan.FromSeconds(value) : null;

    internal static async Task<List<Guid>> FindAsync(
        Session session,
        string[] texts,
        CancellationToken cancellationToken
    )
    {
        var ids = new List<Guid>();
        foreach (var text in texts)
        {
            ids.Add(await RunFinder.FindAsync(session.Client, text, cancellationToken));
        }
        return [.. ids.Distinct()];
    }

    /// <summary>The option <c>--state</c>.</summary>
    /// <param name="states">Those that may be named; null: all.</param>
    internal static Option<string[]> States(IReadOnlyList<RunState>? states = null)
    {
        var option = new Option<string[]>("--state", "-s")
        {
            Description = "Only runs in this state; may stand several times",
            HelpName = "state",
        };
        option.AcceptOnlyFromAmong([.. states?.Select(EnumNames.NameOf) ?? StateNames.Keys]);
        return option;
    }

    internal static List<RunState> StatesOf(IEnumerable<string> states) => [.. states.Select(name => StateNames[name])];

    private static readonly Dictionary<string, RunState> StateNames = Enum.GetValues<RunState>()
        .Where(state => state != RunState.Unknown)
        .ToDictionary(EnumNames.NameOf);
}
