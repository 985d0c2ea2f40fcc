using System.CommandLine;
using JobHost.Client;

namespace JobHost.Cli.Commands;

/// <summary><c>completion</c>: what a shell runs to complete words, and <c>complete</c>, which that asks.</summary>
internal static class CompletionVerbs
{
    private const int MaxRuns = 20;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);
    private static readonly string[] TakeJobs = ["run", "pause", "resume"];
    private static readonly string[] TakeRuns = ["show", "logs", "cancel", "kill", "wait"];

    private const string Bash = """
        _jobhost() {
          COMPREPLY=($(compgen -W "$(jobhost complete "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _jobhost jobhost
        """;

    private const string Zsh = """
        #compdef jobhost
        _jobhost() {
          local -a words_of_jobhost
          words_of_jobhost=("${(@f)$(jobhost complete "$LBUFFER" 2>/dev/null)}")
          compadd -- $words_of_jobhost
        }
        compdef _jobhost jobhost
        """;

    private const string Fish = """
        complete -c jobhost -f -a '(jobhost complete (commandline -cp) 2>/dev/null)'
        """;

    internal static Command CreateCompletion()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish", HelpName = "bash|zsh|fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            "Prints what lets a shell complete words, such as for bash: source <(jobhost completion bash)"
        )
        {
            shell,
        };
        command.SetAction(parsed =>
            Console.Out.WriteLine(
                parsed.GetRequiredValue(shell) switch
                {
                    "bash" => Bash,
                    "zsh" => Zsh,
                    _ => Fish,
                }
            )
        );
        return command;
    }

    internal static Command CreateComplete(Command root)
    {
        var line = new Argument<string>("line") { Description = "The command line up to the cursor" };
        var command = new Command("complete", "Tells the words that a command line can go on with.") { line };
        command.Hidden = true;
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var typed = parsed.GetRequiredValue(line);
                // The first word is the program, whatever it is called.
                var begin = typed.IndexOf(' ', StringComparison.Ordinal);
                var rest = begin < 0 ? "" : typed[(begin + 1)..];
                var current = root.Parse(rest);
                // The ways in which other systems ask for help are not offered.
                var words = current
                    .GetCompletions(rest.Length)
                    .Select(word => word.Label)
                    .Where(word => word[0] != '/' && word != "-?")
                    .ToList();
                var verb = current.CommandResult.Command.Name;
                if (!rest.EndsWith('-'))
                {
                    words.AddRange(await FromServerAsync(session.Client, verb, cancellationToken));
                }
                foreach (var word in words.Distinct())
                {
                    session.Screen.WriteLine(word);
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    /// <summary>Names of jobs or runs, where a verb takes them and the server tells them at once.</summary>
    private static async Task<IEnumerable<string>> FromServerAsync(
        JobHostClient client,
        string verb,
        CancellationToken cancellationToken
    )
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(Bound);
        try
        {
            if (TakeJobs.Contains(verb))
            {
                return (await client.ListJobsAsync(bound.Token)).Select(job => job.Name);
            }
            if (TakeRuns.Contains(verb))
            {
                var page = await client.ListRunsAsync(new() { PageSize = MaxRuns }, pageToken: null, bound.Token);
                return page.Items.Select(run => RunFinder.Short(run.Id));
            }
        }
        catch (Exception silent)
            when (silent is JobHostApiException or HttpRequestException or OperationCanceledException)
        {
            // Then only what is known without it.
        }
        return [];
    }
}
