using System.CommandLine;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>run</c>: starts a run, and stays with it where that is wanted.</summary>
internal static class RunVerb
{
    internal static Command Create()
    {
        var job = Verb.Job();
        var words = new Argument<string[]>("parameters")
        {
            Description = "Parameters of the job; each becomes JSON as the job's schema says",
            HelpName = "key=value",
            Arity = ArgumentArity.ZeroOrMore,
        };
        words.CompletionSources.Add(Complete.Parameter);
        var json = new Option<string>("--json") { Description = "Parameters as a JSON object", HelpName = "object" };
        var labels = Verb.Labels("A label; may stand several times");
        var priority = new Option<int?>("--priority")
        {
            Description = "-1000 to 1000, higher first",
            HelpName = "number",
        };
        var timeout = Verb.Seconds("--timeout", "When the run is stopped by every means, counted from its start");
        var uniqueKey = new Option<string>("--unique-key")
        {
            Description = "No two unfinished runs of the job have the same",
            HelpName = "text",
        };
        var idempotencyKey = new Option<string>("--idempotency-key")
        {
            Description = "Starts with the same key are one start. Default: a new one",
            HelpName = "text",
        };
        var (follow, wait, raw) = (Verb.Follow(), Verb.Wait(), Verb.Raw());
        var command = new VerbCommand(
            "run",
            "Starts a run. With --follow or --wait stays with it: Ctrl-C cancels it, once more kills it, a third time leaves it; the exit code mirrors its end.",
            "jobhost run countdown seconds=20 --label team=a --follow"
        )
        {
            job,
            words,
            json,
            labels,
            priority,
            timeout,
            uniqueKey,
            idempotencyKey,
            follow,
            wait,
            raw,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                // From here on: whoever presses Ctrl-C while the start is under way means the run.
                using var interrupts = parsed.GetValue(follow) || parsed.GetValue(wait) ? Interrupts.Take() : null;
                var name = parsed.GetRequiredValue(job);
                var given = parsed.GetValue(words) ?? [];
                var schema =
                    given.Length == 0
                        ? default
                        : (await session.Client.GetJobAsync(name, cancellationToken)).ParametersSchema;
                var start = new StartRun
                {
                    Parameters = new ParameterSchema(schema).Read(parsed.GetValue(json), given),
                    Labels = Verb.LabelsOf(parsed.GetValue(labels)),
                    Priority = parsed.GetValue(priority),
                    TimeoutSeconds = parsed.GetValue(timeout),
                    UniqueKey = parsed.GetValue(uniqueKey),
                };
                var run = await session.Client.StartAsync(
                    name,
                    start,
                    parsed.GetValue(idempotencyKey),
                    wait: null,
                    cancellationToken
                );
                return await StayOrTellAsync(session, run, interrupts, parsed.GetValue(follow), parsed.GetValue(raw));
            }
        );
        return command;
    }

    /// <summary>Stays with a run where interrupts are taken for it, else tells which it is.</summary>
    internal static async Task<int> StayOrTellAsync(
        Session session,
        Run run,
        Interrupts? interrupts,
        bool showsLog,
        bool isRaw
    )
    {
        if (interrupts is not null)
        {
            return await new RunFollower(session, run, showsLog, isRaw).StayAsync(interrupts);
        }
        if (session.IsJson)
        {
            session.Screen.WriteJson(run, CliJson.Legible.Run);
        }
        else
        {
            session.Screen.WriteLine($"{run.Id}");
        }
        return ExitCodes.Done;
    }
}
