using System.Buffers.Text;
using JobHost.Runs;

namespace JobHost.Server.Contracts;

/// <summary>The place of a list at which the next page begins: the id of the last run, written so that nobody is tempted to make one.</summary>
internal static class PageToken
{
    internal static string Of(RunId last) => Base64Url.EncodeToString(last.ToBytes());

    internal static bool TryRead(string token, out RunId last)
    {
        Span<byte> bytes = stackalloc byte[16];
        last = default;
        if (
            token.Length != 22
            || !Base64Url.IsValid(token)
            || !Base64Url.TryDecodeFromChars(token, bytes, out var written)
            || written != 16
        )
        {
            return false;
        }
        last = RunId.FromBytes(bytes);
        return true;
    }
}
