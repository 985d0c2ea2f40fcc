using System.Text.Json;
using JobHost.Runs;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Execution;

/// <summary>How messages look to code, and how what it says is answered.</summary>
internal static class Mail
{
    /// <summary>The message as code gets it.</summary>
    internal static JobMessage ForCode(RunMessage message) =>
        new(message.Sequence, message.At, message.By ?? "", JsonElement.Parse(message.Body));

    /// <summary>Records what a worker's code says, and gives the answer.</summary>
    internal static async Task<SaidMessage> AnswerAsync(IMailCarrier carrier, SayMessage say)
    {
        try
        {
            await carrier.SayAsync(say.Body);
            return new(say.Number, null);
        }
        catch (InvalidOperationException problem)
        {
            return new(say.Number, problem.Message);
        }
    }
}
