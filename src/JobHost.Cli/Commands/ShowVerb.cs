using System.CommandLine;
using JobHost.Cli.Screens;

namespace JobHost.Cli.Commands;

/// <summary><c>show</c>: all that is known of a run.</summary>
internal static class ShowVerb
{
    internal static Command Create()
    {
        var which = Verb.Run();
        var onlyReceipt = new Option<bool>("--receipt") { Description = "Only the receipt of its stop" };
        var command = new VerbCommand(
            "show",
            "Shows a run, and the receipt of its stop.",
            "jobhost show 1f3a9c07 --receipt"
        )
        {
            which,
            onlyReceipt,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var run = await session.Client.GetRunAsync(id, wait: null, cancellationToken);
                var receipt = await session.Client.FindTerminationAsync(id, cancellationToken);
                var isReceipt = parsed.GetValue(onlyReceipt);
                if (isReceipt && receipt is null)
                {
                    throw new UsageException("Nobody has asked the run to stop, and it has not ended.");
                }
                if (session.IsJson && isReceipt)
                {
                    session.Screen.WriteJson(receipt!, CliJson.Legible.Termination);
                }
                else if (session.IsJson)
                {
                    session.Screen.WriteJson(run, CliJson.Legible.Run);
                }
                else if (isReceipt)
                {
                    RunCard.WriteReceipt(session.Screen, receipt!);
                }
                else
                {
                    RunCard.Write(session.Screen, run, receipt, Session.Time.GetUtcNow());
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }
}
