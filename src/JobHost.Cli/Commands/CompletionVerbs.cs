using System.CommandLine;

namespace JobHost.Cli.Commands;

/// <summary><c>completion</c>: what a shell runs to complete words, and <c>complete</c>, which that asks.</summary>
internal static class CompletionVerbs
{
    private const string Bash = """
        _jobhost() {
          COMPREPLY=($(compgen -W "$(jobhost complete "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
          [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
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
        var command = new VerbCommand(
            "completion",
            "Prints what lets a shell complete words.",
            "source <(jobhost completion bash)"
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
                    .Where(word => word[0] != '/' && word != "-?" && !Complete.IsMark(word))
                    .ToList();
                // A mark begins as no word does: which of them fit is asked where the word is not yet begun.
                var before = rest[..(rest.LastIndexOf(' ') + 1)];
                foreach (var mark in root.Parse(before).GetCompletions(before.Length).Select(word => word.Label))
                {
                    if (Complete.IsMark(mark))
                    {
                        using var server = Session.Open(current);
                        var job = before.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
                        words.AddRange(await Complete.NamesAsync(server.Client, mark, job, cancellationToken));
                    }
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
}
