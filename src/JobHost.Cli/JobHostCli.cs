using System.CommandLine;
using System.CommandLine.Help;
using System.Text.Json;
using JobHost.Cli.Commands;
using JobHost.Cli.Screens;
using JobHost.Client;

namespace JobHost.Cli;

/// <summary>The verbs of the program that talk to a server, and the help of all.</summary>
public static class JobHostCli
{
    /// <summary>Carries out what the arguments say.</summary>
    /// <param name="args">The verb and what follows it.</param>
    /// <param name="localVerbs">Verbs that the program itself carries out.</param>
    /// <returns>The exit code: 0 done, 2 wrong usage, 125 refused or not reached; verbs that follow a run mirror it.</returns>
    public static async Task<int> RunAsync(string[] args, IReadOnlyList<LocalVerb> localVerbs)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(localVerbs);
        var root = Root(localVerbs);
        // A word that begins with @ is a word, not a file of arguments.
        var parsed = root.Parse(args, new() { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors.Select(error => error.Message).Distinct())
            {
                await Console.Error.WriteLineAsync($"jobhost: {Words.Clean(error)}");
            }
            await Console.Error.WriteLineAsync("'jobhost --help' and 'jobhost VERB --help' tell more.");
            return ExitCodes.Usage;
        }
        try
        {
            // Signals are the verbs' own business.
            return await parsed.InvokeAsync(
                new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
            );
        }
        catch (UsageException problem)
        {
            await Console.Error.WriteLineAsync($"jobhost: {Words.Clean(problem.Message)}");
            return ExitCodes.Usage;
        }
        catch (InvalidDataException damaged)
        {
            await Console.Error.WriteLineAsync($"jobhost: {Words.Clean(damaged.Message)}");
            return ExitCodes.Unknown;
        }
        catch (JobHostApiException refusal)
        {
            await Console.Error.WriteLineAsync($"jobhost: {Words.Of(refusal)}");
            return ExitCodes.Unknown;
        }
        catch (Exception unreached)
            when (unreached
                    is HttpRequestException
                        or IOException
                        or JsonException
                        or OperationCanceledException { InnerException: TimeoutException }
            )
        {
            await Console.Error.WriteLineAsync($"jobhost: {Words.Of(unreached)}");
            return ExitCodes.Unknown;
        }
    }

    /// <summary>All verbs.</summary>
    internal static Command Root(IReadOnlyList<LocalVerb> localVerbs)
    {
        var root = new Command(
            "jobhost",
            $"Starts, inspects, cancels and force-kills jobs of a JobHost server.\n\n{ExitCodes.Help}"
        )
        {
            RunVerb.Create(),
            PsVerb.Create(),
            JobsVerb.Create(),
            ShowVerb.Create(),
            LogsVerb.Create(),
            EventsVerb.Create(),
            ArtifactVerbs.CreateResult(),
            ArtifactVerbs.CreateArtifacts(),
            StackVerb.Create(),
            WaitVerb.Create(),
            TopVerb.Create(),
            StopVerbs.CreateCancel(),
            StopVerbs.CreateKill(),
            StopManyVerb.Create(),
            MessageVerbs.CreateSend(),
            MessageVerbs.CreateMessages(),
            MessageVerbs.CreateInput(),
            ProcessVerbs.CreateSignal(),
            ProcessVerbs.CreateFreeze(),
            ProcessVerbs.CreateThaw(),
            RecordVerbs.CreateRelease(),
            RecordVerbs.CreateRetry(),
            RecordVerbs.CreateDelete(),
            PauseVerbs.CreatePause(),
            PauseVerbs.CreateResume(),
            ScheduleVerbs.Create(),
            NodeVerbs.CreateNodes(),
            NodeVerbs.CreateDrain(),
            RecycleVerb.Create(),
            WebhooksVerb.Create(),
            AuditVerb.Create(),
        };
        root.Add(CompletionVerbs.CreateCompletion());
        root.Add(CompletionVerbs.CreateComplete(root));
        foreach (var verb in localVerbs)
        {
            AddLocal(root, verb);
        }
        root.Options.Add(Session.Url);
        root.Options.Add(Session.Key);
        root.Options.Add(Session.Output);
        var help = new HelpOption();
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        root.Options.Add(help);
        root.Options.Add(new VersionOption());
        return root;
    }

    private static void AddLocal(Command root, LocalVerb verb)
    {
        var names = verb.Name.Split(' ');
        var parent = names[..^1].Aggregate(root, (command, name) => command.Subcommands.First(sub => sub.Name == name));
        var command = new VerbCommand(names[^1], verb.Description, verb.Example)
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction((parsed, _) => verb.RunAsync([.. parsed.UnmatchedTokens]));
        parent.Add(command);
    }
}
