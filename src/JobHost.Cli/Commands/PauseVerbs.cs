using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>pause</c> and <c>resume</c>: whether runs of a job begin.</summary>
internal static class PauseVerbs
{
    internal static Command CreatePause()
    {
        var job = Verb.Job();
        var reason = Verb.Reason();
        var command = new VerbCommand(
            "pause",
            "Begins no runs of a job until it is resumed. What executes goes on.",
            "jobhost pause import --reason 'the archive is full'"
        )
        {
            job,
            reason,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
                Write(
                    session,
                    await session.Client.PauseJobAsync(
                        parsed.GetRequiredValue(job),
                        parsed.GetValue(reason),
                        cancellationToken
                    )
                )
        );
        return command;
    }

    internal static Command CreateResume()
    {
        var job = Verb.Job();
        var command = new VerbCommand("resume", "Begins runs of a job again.", "jobhost resume import") { job };
        command.Does(
            async (parsed, session, cancellationToken) =>
                Write(session, await session.Client.ResumeJobAsync(parsed.GetRequiredValue(job), cancellationToken))
        );
        return command;
    }

    private static int Write(Session session, Job job)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(job, CliJson.Legible.Job);
        }
        else
        {
            session.Screen.WriteLine(
                job.Paused is { } pause
                    ? $"{job.Name} is paused by {Words.Clean(pause.By)}; {job.Counts?.Queued} runs wait."
                    : $"{job.Name} begins runs."
            );
        }
        return ExitCodes.Done;
    }
}
